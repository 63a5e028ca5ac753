package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/TarsCloud/TarsGo/tars"
	"github.com/TarsCloud/TarsGo/tars/protocol/res/basef"
)

// load is the client of rpc-load.rs: PORT CONNECTIONS OUTSTANDING SIZE SECONDS.
func load(args []string) error {
	numbers := make([]int, len(args))
	for i, arg := range args {
		number, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		numbers[i] = number
	}
	port, connections, outstanding, size, seconds := numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
	proxies := make([]proxy, connections)
	for i := range proxies {
		// Another timeout is another object to TarsGo, with a connection of its own.
		address := fmt.Sprintf("PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p %d -t %d", port, 60000+i)
		servant := tars.NewServantProxy(tars.GetCommunicator(), address)
		servant.TarsSetTimeout(60000)
		proxies[i] = proxy{servant, basef.TARSVERSION, testTafService}
	}
	name := strings.Repeat("x", size)
	greet := func(p proxy) {
		var greetings string
		err := p.call(context.Background(), "sayHelloWorld", options{}, nil, name, &greetings)
		if err != nil || len(greetings) != size+6 {
			fmt.Fprintln(os.Stderr, "wrong answer", err)
			os.Exit(1)
		}
	}
	for _, p := range proxies {
		greet(p)
	}
	var stop, counts int32
	var wait sync.WaitGroup
	latencies := make([][]time.Duration, outstanding)
	for caller := 0; caller < outstanding; caller++ {
		wait.Add(1)
		go func(caller int) {
			defer wait.Done()
			for n := caller; atomic.LoadInt32(&stop) == 0; n++ {
				counted := atomic.LoadInt32(&counts) == 1
				begun := time.Now()
				greet(proxies[n%connections])
				if counted {
					latencies[caller] = append(latencies[caller], time.Since(begun))
				}
			}
		}(caller)
	}
	time.Sleep(500 * time.Millisecond)
	fmt.Println("begin")
	atomic.StoreInt32(&counts, 1)
	begun, cpu := time.Now(), cpuSeconds()
	time.Sleep(time.Duration(seconds) * time.Second)
	elapsed, cpu := time.Since(begun).Seconds(), cpuSeconds()-cpu
	atomic.StoreInt32(&stop, 1)
	wait.Wait()
	var all []time.Duration
	for _, l := range latencies {
		all = append(all, l...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	quantile := func(part float64) float64 {
		index := int(float64(len(all)) * part)
		if index >= len(all) {
			index = len(all) - 1
		}
		return float64(all[index].Nanoseconds()) / 1000
	}
	fmt.Printf("{\"calls\": %d, \"seconds\": %f, \"cpu\": %f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f}\n",
		len(all), elapsed, cpu, quantile(0.5), quantile(0.99), quantile(0.999))
	return nil
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
