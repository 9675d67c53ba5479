// The configuration of Nacos' client for Go, by gRPC, against a server: runs cases, and says which have failed.
//
// Argument: the server's address.
package main

import (
	"crypto/md5"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/v2/common/constant"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

const group = "DEFAULT_GROUP"
const wait = 15 * time.Second

// testCase is called with a name that no other case uses.
type testCase struct {
	name string
	run  func(name string)
}

func check(isSo bool, words string, values ...any) {
	if !isSo {
		panic(fmt.Sprintf(words, values...))
	}
}

func eventually(isSo func() bool, words string) {
	for end := time.Now().Add(wait); !isSo(); time.Sleep(20 * time.Millisecond) {
		check(time.Now().Before(end), "still not %s", words)
	}
}

func configClient(address, namespace string) config_client.IConfigClient {
	host, port, err := net.SplitHostPort(address)
	check(err == nil, "an address: %v", err)
	number, err := strconv.ParseUint(port, 10, 16)
	check(err == nil, "a port: %v", err)
	folder, err := os.MkdirTemp("", "nacos-go-")
	check(err == nil, "a folder: %v", err)
	config := constant.NewClientConfig(
		constant.WithNamespaceId(namespace), constant.WithNotLoadCacheAtStart(true), constant.WithLogDir(folder),
		constant.WithCacheDir(folder), constant.WithLogLevel("error"), constant.WithDisableUseSnapShot(true),
	)
	servers := []constant.ServerConfig{*constant.NewServerConfig(host, number)}
	client, err := clients.NewConfigClient(vo.NacosClientParam{ClientConfig: config, ServerConfigs: servers})
	check(err == nil, "a client: %v", err)
	return client
}

func configCases(at string) []testCase {
	client := configClient(at, "")
	other := configClient(at, "")
	publish := func(dataId, content string) {
		ok, err := client.PublishConfig(vo.ConfigParam{DataId: dataId, Group: group, Content: content})
		check(ok && err == nil, "published: %v", err)
	}
	read := func(by config_client.IConfigClient, dataId string) string {
		content, err := by.GetConfig(vo.ConfigParam{DataId: dataId, Group: group})
		if err != nil && !strings.Contains(err.Error(), "not exist") && !strings.Contains(err.Error(), "not found") {
			panic(err)
		}
		return content
	}
	return []testCase{
		{"what is published is read by another client", func(name string) {
			publish(name, "v1")
			check(read(other, name) == "v1", "read")
			publish(name, "größer ✓ 💐")
			check(read(other, name) == "größer ✓ 💐", "read again")
		}},
		{"what is removed is gone", func(name string) {
			publish(name, "v1")
			ok, err := client.DeleteConfig(vo.ConfigParam{DataId: name, Group: group})
			check(ok && err == nil, "removed: %v", err)
			check(read(configClient(at, ""), name) == "", "gone")
		}},
		{"the digest decides who of two writers is first", func(name string) {
			publish(name, "v1")
			known := fmt.Sprintf("%x", md5.Sum([]byte("v1")))
			edit := vo.ConfigParam{DataId: name, Group: group, Content: "v2", CasMd5: known}
			ok, err := client.PublishConfig(edit)
			check(ok && err == nil, "the first: %v", err)
			edit.Content = "v3"
			ok, _ = client.PublishConfig(edit)
			check(!ok, "the second is refused")
			check(read(other, name) == "v2", "the first one's")
		}},
		{"a listener is told each change, and no more when it has left", func(name string) {
			var lock sync.Mutex
			told := ""
			heard := func(_, _, _, data string) {
				lock.Lock()
				defer lock.Unlock()
				told = data
			}
			last := func() string {
				lock.Lock()
				defer lock.Unlock()
				return told
			}
			err := other.ListenConfig(vo.ConfigParam{DataId: name, Group: group, OnChange: heard})
			check(err == nil, "listens: %v", err)
			for _, content := range []string{"v1", "v2", "v3"} {
				publish(name, content)
				eventually(func() bool { return last() == content }, content)
			}
			err = other.CancelListenConfig(vo.ConfigParam{DataId: name, Group: group})
			check(err == nil, "leaves: %v", err)
			publish(name, "v4")
			check(last() == "v3", "told no more")
		}},
		{"namespaces are told apart", func(name string) {
			own := configClient(at, "go-tests")
			ok, err := own.PublishConfig(vo.ConfigParam{DataId: name, Group: group, Content: "own"})
			check(ok && err == nil, "published: %v", err)
			check(read(own, name) == "own", "read")
			check(read(other, name) == "", "not elsewhere")
		}},
		{"configurations are searched by HTTP", func(name string) {
			publish(name+"-a", "x")
			publish(name+"-b", "x")
			page, err := client.SearchConfig(vo.SearchConfigParam{
				Search: "blur", DataId: name + "-*", Group: group, PageNo: 1, PageSize: 1,
			})
			check(err == nil, "searched: %v", err)
			check(page.TotalCount == 2 && len(page.PageItems) == 1, "found %d", page.TotalCount)
		}},
	}
}

func attempt(each testCase, name string) (fault any) {
	defer func() { fault = recover() }()
	each.run(name)
	return nil
}

func main() {
	passed, failed := 0, 0
	for _, each := range configCases(os.Args[1]) {
		name := fmt.Sprintf("go-%d-%d", os.Getpid(), passed+failed)
		if fault := attempt(each, name); fault != nil {
			failed++
			fmt.Printf("FAILED Go: %s\n%v\n", each.name, fault)
			continue
		}
		passed++
		fmt.Printf("ok Go: %s\n", each.name)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
