// HashiCorp's client for Go, and Go's own resolver, against a started server: main HTTP_PORT DNS_PORT TOKEN, where
// the token is an operator's.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/consul/api/watch"
)

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func same(found, expected any, what string) {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		must(fmt.Errorf("%s: %v, expected %v", what, found, expected))
	}
}

func main() {
	client, err := api.NewClient(&api.Config{Address: "127.0.0.1:" + os.Args[1]})
	must(err)
	services(client)
	probes(client)
	filters(client)
	watches(client)
	keys(client)
	lock(client)
	semaphore(client)
	events(client)
	transaction(client)
	credentials(client)
	resolve()
	fmt.Println("consul/api and Go's resolver: all as expected")
}

func services(client *api.Client) {
	agent, health := client.Agent(), client.Health()
	service := &api.AgentServiceRegistration{
		ID: "go-1", Name: "go-web", Port: 8080, Address: "10.1.2.3", Tags: []string{"blue"},
		Check: &api.AgentServiceCheck{TTL: "30s"},
	}
	must(agent.ServiceRegister(service))
	passing := make(chan int)
	go func() {
		// A query may be woken by another change of the service: clients ask again.
		rows, index := 0, uint64(0)
		for rows == 0 {
			found, meta, err := health.Service("go-web", "blue", true, &api.QueryOptions{WaitIndex: index, WaitTime: 20 * time.Second})
			must(err)
			rows, index = len(found), meta.LastIndex
		}
		passing <- rows
	}()
	must(agent.UpdateTTL("service:go-1", "fine", api.HealthPassing))
	same(<-passing, 1, "the rows of a query that waited for its check")
	checks, err := agent.Checks()
	must(err)
	same(checks["service:go-1"].Output, "fine", "the output of a check")
}

// Checks that the registry makes: of a port, and of a page that first answers and then does not.
func probes(client *api.Client) {
	status := http.StatusOK
	var changed = make(chan int)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case status = <-changed:
		default:
		}
		w.WriteHeader(status)
	}))
	defer page.Close()
	must(client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		Name: "go-probed", Port: 1, Checks: api.AgentServiceChecks{
			{CheckID: "go-tcp", TCP: strings.TrimPrefix(page.URL, "http://"), Interval: "1s", Timeout: "1s"},
			{CheckID: "go-http", HTTP: page.URL, Interval: "1s", Timeout: "1s"},
		},
	}))
	awaitStatus(client, "go-probed", api.HealthPassing)
	changed <- http.StatusTooManyRequests
	awaitStatus(client, "go-probed", api.HealthWarning)
	must(client.Agent().ServiceDeregister("go-probed"))
}

func awaitStatus(client *api.Client, name, wanted string) {
	found := ""
	for index, tries := uint64(0), 0; found != wanted; tries++ {
		if tries == 20 {
			must(fmt.Errorf("%s is %s, expected %s", name, found, wanted))
		}
		checks, meta, err := client.Health().Checks(name, &api.QueryOptions{WaitIndex: index, WaitTime: 2 * time.Second})
		must(err)
		found, index = checks.AggregatedStatus(), meta.LastIndex
	}
}

func filters(client *api.Client) {
	rows, _, err := client.Catalog().Service("go-web", "", &api.QueryOptions{Filter: `ServicePort == 8080 and "blue" in ServiceTags`})
	must(err)
	same(len(rows), 1, "the rows of a filter that fits")
	rows, _, err = client.Catalog().Service("go-web", "", &api.QueryOptions{Filter: `ServicePort != 8080`})
	must(err)
	same(len(rows), 0, "the rows of a filter that does not fit")
	names, _, err := client.Catalog().Services(nil)
	must(err)
	same(names["go-web"], []string{"blue"}, "the tags of a service")
}

// A plan, as consul-template and others watch.
func watches(client *api.Client) {
	plan, err := watch.Parse(map[string]interface{}{"type": "key", "key": "go/watched"})
	must(err)
	seen := make(chan string, 10)
	plan.Handler = func(_ uint64, value interface{}) {
		if pair, isPair := value.(*api.KVPair); isPair && pair != nil {
			seen <- string(pair.Value)
		}
	}
	ended := make(chan error)
	go func() { ended <- plan.RunWithClientAndHclog(client, nil) }()
	for _, value := range []string{"one", "two"} {
		_, err := client.KV().Put(&api.KVPair{Key: "go/watched", Value: []byte(value)}, nil)
		must(err)
		same(<-seen, value, "what a plan has seen")
	}
	plan.Stop()
	must(<-ended)
}

func keys(client *api.Client) {
	kv := client.KV()
	isSet, _, err := kv.CAS(&api.KVPair{Key: "go/cas", Value: []byte("1"), Flags: 1 << 63}, nil)
	must(err)
	same(isSet, true, "a comparison with a key that is not there")
	pair, _, err := kv.Get("go/cas", nil)
	must(err)
	same(pair.Flags, uint64(1<<63), "flags of 64 bits")
	isSet, _, err = kv.CAS(&api.KVPair{Key: "go/cas", ModifyIndex: pair.ModifyIndex - 1}, nil)
	must(err)
	same(isSet, false, "a comparison with another index")
	isDeleted, _, err := kv.DeleteCAS(pair, nil)
	must(err)
	same(isDeleted, true, "a deletion with the index of the key")
}

func semaphore(client *api.Client) {
	options := &api.SemaphoreOptions{Prefix: "go/semaphore", Limit: 1}
	one, err := client.SemaphoreOpts(options)
	must(err)
	other, err := client.SemaphoreOpts(options)
	must(err)
	_, err = one.Acquire(nil)
	must(err)
	acquired := make(chan struct{})
	go func() {
		_, err := other.Acquire(nil)
		must(err)
		close(acquired)
	}()
	must(one.Release())
	<-acquired
	must(other.Release())
	must(other.Destroy())
}

func events(client *api.Client) {
	id, _, err := client.Event().Fire(&api.UserEvent{Name: "go-deploy", Payload: []byte("v2")}, nil)
	must(err)
	found, meta, err := client.Event().List("go-deploy", nil)
	must(err)
	same(string(found[len(found)-1].Payload), "v2", "the payload of an event")
	same(meta.LastIndex, client.Event().IDToIndex(id), "the index of an event")
}

// The token of an operator opens what is refused without one.
func credentials(client *api.Client) {
	operator, err := api.NewClient(&api.Config{Address: "127.0.0.1:" + os.Args[1], Token: os.Args[3]})
	must(err)
	must(operator.Agent().Reload())
	same(client.Agent().Reload() != nil, true, "a reload without a token is refused")
}

func lock(client *api.Client) {
	lock, err := client.LockOpts(&api.LockOptions{Key: "go/lock", SessionTTL: "10s", LockDelay: time.Millisecond})
	must(err)
	lost, err := lock.Lock(nil)
	must(err)
	select {
	case <-lost:
		must(fmt.Errorf("the lock was lost at once"))
	default:
	}
	pair, _, err := client.KV().Get("go/lock", nil)
	must(err)
	same(pair.Session != "", true, "the lock has a session")
	must(lock.Unlock())
	must(lock.Destroy())
	pair, _, err = client.KV().Get("go/lock", nil)
	must(err)
	same(pair == nil, true, "the key of a destroyed lock is gone")
}

func transaction(client *api.Client) {
	ok, response, _, err := client.KV().Txn(api.KVTxnOps{
		{Verb: api.KVSet, Key: "go/a", Value: []byte("x")},
		{Verb: api.KVGet, Key: "go/a"},
	}, nil)
	must(err)
	same(ok, true, "a transaction")
	same(string(response.Results[1].Value), "x", "its result")
}

func resolve() {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+os.Args[2])
	}}
	addresses, err := resolver.LookupHost(context.Background(), "go-web.service.consul.")
	must(err)
	same(addresses, []string{"10.1.2.3"}, "addresses")
	_, records, err := resolver.LookupSRV(context.Background(), "go-web", "blue", "service.consul.")
	must(err)
	same(fmt.Sprintf("%s %d", records[0].Target, records[0].Port), "0a010203.addr.dc1.consul. 8080", "SRV")
}
