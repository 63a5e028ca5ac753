package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/TarsCloud/TarsGo/tars"
	"github.com/TarsCloud/TarsGo/tars/protocol/res/basef"
)

// clients calls both servants in one version.
type clients struct {
	version  int16
	server   string
	client   proxy
	allTypes proxy
}

func (c clients) proxyOf(servant string, functions map[string]function) proxy {
	address := fmt.Sprintf("%s@tcp -h 127.0.0.1 -p %s -t 60000", servant, c.server)
	p := tars.NewServantProxy(tars.GetCommunicator(), address)
	p.TarsSetVersion(c.version)
	p.TarsSetTimeout(10000)
	return proxy{p, c.version, functions}
}

func (c clients) call(name string, result interface{}, args ...interface{}) error {
	return c.client.call(context.Background(), name, options{}, result, args...)
}

func (c clients) greet(o options, name string) (greetings string, err error) {
	err = c.client.call(context.Background(), "sayHelloWorld", o, nil, name, &greetings)
	return greetings, err
}

func same(what string, got, want interface{}) error {
	if reflect.DeepEqual(got, want) {
		return nil
	}
	return fmt.Errorf("%s: %.150s instead of %.150s", what, fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want))
}

// fails is about a call that the server answers with an error.
func fails(err error, code int32, message string) error {
	var tarsError *tars.Error
	if !errors.As(err, &tarsError) || tarsError.Code != code {
		return fmt.Errorf("%#v instead of code %d", err, code)
	}
	if message != "" && tarsError.Message != message {
		return fmt.Errorf("%q instead of %q", tarsError.Message, message)
	}
	return nil
}

type testCase struct {
	name string
	run  func(clients) error
}

var cases = []testCase{
	{"testTafServer", func(c clients) error { return c.call("testTafServer", nil) }},
	{"testLofofTags", testLofofTags},
	{"sayHelloWorld", func(c clients) error {
		for _, name := range []string{"", "ted", text, strings.Repeat("x", 300)} {
			got, err := c.greet(options{}, name)
			if err = first(err, same("outGreetings", got, "hello "+name)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"testBasic", testBasic},
	{"testStruct", testStruct},
	{"testMap", testMap},
	{"testVector", testVector},
	{"testReturn", func(c clients) error {
		var result SimpleStruct
		err := c.call("testReturn", &result)
		return first(err, same("result", result, smallest()))
	}},
	{"testReturn2", func(c clients) error {
		var result map[string]string
		err := c.call("testReturn2", &result)
		return first(err, same("result", result, textMap()))
	}},
	{"testComplicatedStruct", testComplicatedStruct},
	{"testComplicatedMap", testComplicatedMap},
	{"testEmpty", testEmpty},
	{"testProperty", func(c clients) error {
		var result int32
		err := c.call("testProperty", &result)
		return first(err, same("result", result, int32(42)))
	}},
	{"echoBasic", func(c clients) error {
		for _, value := range []Basic{{}, {E: 70000}, basic()} {
			var result int32
			var o Basic
			err := c.allTypes.call(context.Background(), "echoBasic", options{}, &result, value, &o)
			if err = first(err, same("result", result, value.E), same("o", o, value)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"echoContainers", func(c clients) error {
		for _, value := range []Containers{emptyContainers(), containers()} {
			var o Containers
			err := c.allTypes.call(context.Background(), "echoContainers", options{}, nil, value, &o)
			if err = first(err, same("o", o, value)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"echoBytes", func(c clients) error {
		for _, data := range [][]int8{{}, allBytes()} {
			var result []int8
			err := c.allTypes.call(context.Background(), "echoBytes", options{}, &result, data)
			if err = first(err, same("result", result, data)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"tars_ping", func(c clients) error { return c.call("tars_ping", nil) }},
	{"oneway", oneway},
	{"context", func(c clients) error { return carries(c, "ted") }},
	{"context, UTF-8", func(c clients) error { return carries(c, text) }},
	{"status", func(c clients) error {
		got, err := c.greet(options{status: map[string]string{"STATUS_GRID_KEY": "grid"}}, "status:STATUS_GRID_KEY")
		return first(err, same("status", got, "grid"))
	}},
	{"response context", func(c clients) error {
		var answered map[string]string
		_, err := c.greet(options{answered: &answered}, "answer:ted")
		return first(err, same("context", answered["answered-by"], "ted"))
	}},
	{"error", func(c clients) error {
		_, err := c.greet(options{}, "error:1234:wrong \u9519")
		return fails(err, 1234, "wrong \u9519")
	}},
	{"unknownFunction", func(c clients) error { return fails(c.call("noSuch", nil), basef.TARSSERVERNOFUNCERR, "") }},
	{"unknownServant", func(c clients) error {
		none := c.proxyOf("PHPTest.PHPServer.none", testTafService)
		err := none.call(context.Background(), "testTafServer", options{}, nil)
		return fails(err, basef.TARSSERVERNOSERVANTERR, "")
	}},
	{"timeout", timeout},
	{"1MiB", func(c clients) error {
		name := strings.Repeat("\u4e16x", 1<<18)
		got, err := c.greet(options{}, name)
		if err == nil && got != "hello "+name {
			err = fmt.Errorf("%d other bytes", len(got))
		}
		return err
	}},
	{"100 concurrent", concurrent},
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func testLofofTags(c clients) error {
	for _, tags := range []LotofTags{emptyTags(), tags()} {
		var result int32
		var outtags LotofTags
		err := c.call("testLofofTags", &result, tags, &outtags)
		count := int32(len(tags.Ss) + len(tags.Mss))
		if err = first(err, same("result", result, count), same("outtags", outtags, tags)); err != nil {
			return err
		}
	}
	return nil
}

func testBasic(c clients) error {
	for _, in := range []struct {
		a bool
		b int32
		c string
	}{{true, -1 << 31, text}, {false, 1<<31 - 1, ""}, {true, 0, "c"}} {
		var result, e int32
		var d bool
		var f string
		err := c.call("testBasic", &result, in.a, in.b, in.c, &d, &e, &f)
		err = first(err, same("result", result, in.b), same("d", d, !in.a), same("e", e, ^in.b), same("f", f, in.c+in.c))
		if err != nil {
			return err
		}
	}
	return nil
}

func testStruct(c clients) error {
	for _, b := range records() {
		for _, a := range []int64{-1 << 63, 1<<63 - 1, -1} {
			var result string
			var d OutStruct
			err := c.call("testStruct", &result, a, b, &d)
			want := OutStruct{b.Id, b.Count, b.Page, fmt.Sprint(b.Id)}
			if err = first(err, same("result", result, fmt.Sprint(a)), same("d", d, want)); err != nil {
				return err
			}
		}
	}
	return nil
}

func testMap(c clients) error {
	b := smallest()
	for _, in := range []struct {
		m1     map[string]string
		result string
	}{{map[string]string{}, ""}, {textMap(), "=;key=" + text + ";\u952e=value"}} {
		var result string
		var d OutStruct
		var m2 map[int32]SimpleStruct
		err := c.call("testMap", &result, int16(-2), b, in.m1, &d, &m2)
		err = first(err, same("result", result, in.result),
			same("d", d, OutStruct{b.Id, int32(len(in.m1)), -2, in.m1["key"]}),
			same("m2", m2, map[int32]SimpleStruct{0: b, -1: b, b.Count: b}))
		if err != nil {
			return err
		}
	}
	return nil
}

func testVector(c clients) error {
	for _, in := range []struct {
		a  int32
		v1 []string
		v2 []SimpleStruct
	}{{0, []string{}, []SimpleStruct{}}, {-5, []string{"", text, "z"}, records()}} {
		var result string
		var v3 []int32
		var v4 []OutStruct
		err := c.call("testVector", &result, in.a, in.v1, in.v2, &v3, &v4)
		want3, want4 := []int32{in.a}, []OutStruct{}
		for _, r := range in.v2 {
			want3 = append(want3, r.Count)
			want4 = append(want4, OutStruct{r.Id, r.Count, r.Page, fmt.Sprint(in.a)})
		}
		err = first(err, same("result", result, strings.Join(in.v1, ",")), same("v3", v3, want3), same("v4", v4, want4))
		if err != nil {
			return err
		}
	}
	return nil
}

func testComplicatedStruct(c clients) error {
	empty, full := emptyComplicated(), complicated()
	for _, in := range []struct {
		cs          ComplicatedStruct
		vcs, wanted []ComplicatedStruct
	}{
		{empty, []ComplicatedStruct{}, []ComplicatedStruct{}},
		{full, []ComplicatedStruct{empty, full, full}, []ComplicatedStruct{full, full, empty}},
	} {
		var result []SimpleStruct
		var ocs ComplicatedStruct
		var ovcs []ComplicatedStruct
		err := c.call("testComplicatedStruct", &result, in.cs, in.vcs, &ocs, &ovcs)
		err = first(err, same("result", result, in.cs.Ss), same("ocs", ocs, in.cs), same("ovcs", ovcs, in.wanted))
		if err != nil {
			return err
		}
	}
	return nil
}

func testComplicatedMap(c clients) error {
	full := map[string]ComplicatedStruct{"": emptyComplicated(), text: complicated()}
	for _, mcs := range []map[string]ComplicatedStruct{{}, full} {
		var result, omcs map[string]ComplicatedStruct
		err := c.call("testComplicatedMap", &result, mcs, &omcs)
		if err = first(err, same("result", result, mcs), same("omcs", omcs, mcs)); err != nil {
			return err
		}
	}
	return nil
}

func testEmpty(c clients) error {
	var result, in2 int32
	var b1 bool
	var d OutStruct
	var v3 []OutStruct
	var v4 []int32
	err := c.call("testEmpty", &result, int16(-7), &b1, &in2, &d, &v3, &v4)
	return first(err, same("result", result, int32(-7)), same("b1", b1, false), same("in2", in2, int32(0)),
		same("d", d, OutStruct{}), same("v3", v3, []OutStruct{}), same("v4", v4, []int32{}))
}

func oneway(c clients) error {
	id := fmt.Sprintf("go %d", c.version)
	if _, err := c.greet(options{oneway: true}, "note:"+id); err != nil {
		return err
	}
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, err := c.greet(options{}, "noted:"+id)
		if err != nil || got == "true" {
			return err
		}
		if time.Now().After(until) {
			return errors.New("the server has not run it")
		}
	}
}

func carries(c clients, who string) error {
	got, err := c.greet(options{context: map[string]string{"who": who}}, "context:who")
	return first(err, same("context", got, who))
}

func timeout(c clients) error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	var greetings string
	err := c.client.call(ctx, "sayHelloWorld", options{}, nil, "sleep:400", &greetings)
	if err == nil || !strings.Contains(err.Error(), "timeout") {
		return fmt.Errorf("%v instead of a timeout", err)
	}
	got, err := c.greet(options{}, "sleep:400")
	return first(err, same("later answer", got, "slept 400"))
}

func concurrent(c clients) error {
	var lock sync.Mutex
	var wait sync.WaitGroup
	var order []int
	var failure error
	for i := 0; i < 100; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			delay := 500 - 5*i
			got, err := c.greet(options{}, fmt.Sprintf("sleep:%d", delay))
			err = first(err, same("answer", got, fmt.Sprintf("slept %d", delay)))
			lock.Lock()
			defer lock.Unlock()
			order = append(order, i)
			if err != nil {
				failure = err
			}
		}(i)
	}
	wait.Wait()
	if failure == nil && order[0] < order[99] {
		failure = fmt.Errorf("answered in the order of the calls: %v", order)
	}
	return failure
}

// callAll prints a line for each case.
func callAll(port string) {
	for _, version := range []int16{basef.TARSVERSION, basef.JSONVERSION} {
		c := clients{version: version, server: port}
		c.client = c.proxyOf("PHPTest.PHPServer.obj", testTafService)
		c.allTypes = c.proxyOf("Tests.AllTypesServer.Obj", allTypesIf)
		for _, test := range cases {
			result := "ok"
			if err := test.run(c); err != nil {
				result = strings.Join(strings.Fields(err.Error()), " ")
			}
			fmt.Printf("cell\t%d\t%s\t%s\n", version, test.name, result)
		}
	}
}
