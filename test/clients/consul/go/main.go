// HashiCorp's client for Go, and Go's own resolver, against a started server: main HTTP_PORT DNS_PORT.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/hashicorp/consul/api"
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
	lock(client)
	transaction(client)
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
