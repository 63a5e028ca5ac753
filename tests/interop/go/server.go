package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/TarsCloud/TarsGo/tars"
	"github.com/TarsCloud/TarsGo/tars/util/current"
)

type phpServer struct{ notes sync.Map }

func (s *phpServer) greet(ctx context.Context, name string) (string, error) {
	command, rest, found := strings.Cut(name, ":")
	if !found {
		return "hello " + name, nil
	}
	switch command {
	case "error":
		code, message, _ := strings.Cut(rest, ":")
		number, err := strconv.Atoi(code)
		if err != nil {
			return "", err
		}
		return "", tars.Errorf(int32(number), "%s", message)
	case "sleep":
		ms, err := strconv.Atoi(rest)
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return "slept " + rest, err
	case "context":
		values, _ := current.GetRequestContext(ctx)
		return values[rest], nil
	case "status":
		values, _ := current.GetRequestStatus(ctx)
		return values[rest], nil
	case "answer":
		current.SetResponseContext(ctx, map[string]string{"answered-by": rest})
		return "answered", nil
	case "note":
		s.notes.Store(rest, true)
		return "noted", nil
	case "noted":
		_, ok := s.notes.Load(rest)
		return strconv.FormatBool(ok), nil
	}
	return "hello " + name, nil
}

func (s *phpServer) TestTafServer(context.Context) error { return nil }

func (s *phpServer) TestLofofTags(_ context.Context, tags LotofTags, outtags *LotofTags) (int32, error) {
	*outtags = tags
	return int32(len(tags.Ss) + len(tags.Mss)), nil
}

func (s *phpServer) SayHelloWorld(ctx context.Context, name string, outGreetings *string) (err error) {
	*outGreetings, err = s.greet(ctx, name)
	return err
}

func (s *phpServer) TestBasic(_ context.Context, a bool, b int32, c string, d *bool, e *int32, f *string) (int32, error) {
	*d, *e, *f = !a, ^b, c+c
	return b, nil
}

func (s *phpServer) TestStruct(_ context.Context, a int64, b SimpleStruct, d *OutStruct) (string, error) {
	*d = OutStruct{b.Id, b.Count, b.Page, strconv.FormatInt(b.Id, 10)}
	return strconv.FormatInt(a, 10), nil
}

func (s *phpServer) TestMap(_ context.Context, a int16, b SimpleStruct, m1 map[string]string, d *OutStruct, m2 *map[int32]SimpleStruct) (string, error) {
	entries := make([]string, 0, len(m1))
	for k, v := range m1 {
		entries = append(entries, k+"="+v)
	}
	sort.Strings(entries)
	*d = OutStruct{b.Id, int32(len(m1)), a, m1["key"]}
	*m2 = map[int32]SimpleStruct{}
	for _, key := range []int32{0, -1, b.Count} {
		(*m2)[key] = b
	}
	return strings.Join(entries, ";"), nil
}

func (s *phpServer) TestVector(_ context.Context, a int32, v1 []string, v2 []SimpleStruct, v3 *[]int32, v4 *[]OutStruct) (string, error) {
	*v3 = []int32{a}
	for _, r := range v2 {
		*v3 = append(*v3, r.Count)
		*v4 = append(*v4, OutStruct{r.Id, r.Count, r.Page, strconv.Itoa(int(a))})
	}
	return strings.Join(v1, ","), nil
}

func (s *phpServer) TestReturn(context.Context) (SimpleStruct, error) { return smallest(), nil }

func (s *phpServer) TestReturn2(context.Context) (map[string]string, error) { return textMap(), nil }

func (s *phpServer) TestComplicatedStruct(_ context.Context, cs ComplicatedStruct, vcs []ComplicatedStruct, ocs *ComplicatedStruct, ovcs *[]ComplicatedStruct) ([]SimpleStruct, error) {
	*ocs = cs
	for i := len(vcs) - 1; i >= 0; i-- {
		*ovcs = append(*ovcs, vcs[i])
	}
	return cs.Ss, nil
}

func (s *phpServer) TestComplicatedMap(_ context.Context, mcs map[string]ComplicatedStruct, omcs *map[string]ComplicatedStruct) (map[string]ComplicatedStruct, error) {
	*omcs = mcs
	return mcs, nil
}

func (s *phpServer) TestEmpty(_ context.Context, a int16, _ *bool, _ *int32, _ *OutStruct, _ *[]OutStruct, _ *[]int32) (int32, error) {
	return int32(a), nil
}

func (s *phpServer) TestProperty(context.Context) (int32, error) { return 42, nil }

type allTypesServer struct{}

func (allTypesServer) EchoBasic(_ context.Context, in Basic, o *Basic) (int32, error) {
	*o = in
	return in.E, nil
}

func (allTypesServer) EchoContainers(_ context.Context, in Containers, o *Containers) error {
	*o = in
	return nil
}

func (allTypesServer) EchoBytes(_ context.Context, data []int8) ([]int8, error) { return data, nil }

const config = `<tars>
  <application>
    <server>
      app=PHPTest
      server=PHPServer
      local=tcp -h 127.0.0.1 -p %s -t 3000
      localip=127.0.0.1
      logpath=%s
      datapath=%s
      <PHPAdapter>
        endpoint=tcp -h 127.0.0.1 -p %s -t 60000
        servant=PHPTest.PHPServer.obj
        protocol=tars
      </PHPAdapter>
      <AllTypesAdapter>
        endpoint=tcp -h 127.0.0.1 -p %s -t 60000
        servant=Tests.AllTypesServer.Obj
        protocol=tars
      </AllTypesAdapter>
    </server>
    <client>
    </client>
  </application>
</tars>
`

// serve serves both servants; it is ended by a signal.
func serve(phpPort, allTypesPort, adminPort string) error {
	const dir = "go-server" // in target/interop
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tars.ServerConfigPath = dir + "/server.conf"
	text := fmt.Sprintf(config, adminPort, dir, dir, phpPort, allTypesPort)
	if err := os.WriteFile(tars.ServerConfigPath, []byte(text), 0o600); err != nil {
		return err
	}
	tars.GetServerConfig()
	tars.AddServantWithContext(dispatcher{testTafService}, new(phpServer), "PHPTest.PHPServer.obj")
	tars.AddServantWithContext(dispatcher{allTypesIf}, allTypesServer{}, "Tests.AllTypesServer.Obj")
	tars.Run()
	return nil
}
