// An application with Nacos' client for Go of the first generation, by HTTP with pushes by UDP: registers itself, and
// prints the instances that it sees whenever they change, as a line of JSON. It stops in order when its input ends.
//
// Arguments: the server's address, the application's own name and address, and the names of the services that it
// watches.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"

	"github.com/nacos-group/nacos-sdk-go/clients"
	"github.com/nacos-group/nacos-sdk-go/common/constant"
	"github.com/nacos-group/nacos-sdk-go/model"
	"github.com/nacos-group/nacos-sdk-go/vo"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func split(address string) (string, uint64) {
	host, port, err := net.SplitHostPort(address)
	must(err)
	number, err := strconv.ParseUint(port, 10, 16)
	must(err)
	return host, number
}

func main() {
	folder, err := os.MkdirTemp("", "nacos-go-")
	must(err)
	defer os.RemoveAll(folder)
	host, port := split(os.Args[1])
	name := os.Args[2]
	ip, own := split(os.Args[3])
	config := constant.NewClientConfig(constant.WithLogDir(folder), constant.WithCacheDir(folder),
		constant.WithLogLevel("error"), constant.WithNotLoadCacheAtStart(true),
		// It ignores a list without instances otherwise.
		constant.WithUpdateCacheWhenEmpty(true))
	servers := []constant.ServerConfig{*constant.NewServerConfig(host, port)}
	client, err := clients.NewNamingClient(vo.NacosClientParam{ClientConfig: config, ServerConfigs: servers})
	must(err)
	_, err = client.RegisterInstance(vo.RegisterInstanceParam{
		Ip: ip, Port: own, ServiceName: name, Weight: 1, Enable: true, Healthy: true, Ephemeral: true,
	})
	must(err)
	seen := map[string][]string{}
	var lock sync.Mutex
	for _, service := range os.Args[4:] {
		must(client.Subscribe(&vo.SubscribeParam{ServiceName: service, SubscribeCallback: func(hosts []model.SubscribeService, _ error) {
			lock.Lock()
			defer lock.Unlock()
			addresses := []string{}
			for _, one := range hosts {
				addresses = append(addresses, fmt.Sprintf("%s:%d", one.Ip, one.Port))
			}
			sort.Strings(addresses)
			seen[service] = addresses
			line, _ := json.Marshal(seen)
			fmt.Println(string(line))
		}}))
	}
	_, _ = io.ReadAll(os.Stdin)
	_, err = client.DeregisterInstance(vo.DeregisterInstanceParam{Ip: ip, Port: own, ServiceName: name, Ephemeral: true})
	must(err)
}
