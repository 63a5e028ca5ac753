// TarsGo's codec with the values of scripts/bench-codec.sh: go VALUES prints what it encodes and how long it takes.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/TarsCloud/TarsGo/tars/protocol/codec"
	"github.com/TarsCloud/TarsGo/tars/protocol/res/requestf"
)

// message is what tars2go generates for each struct.
type message interface {
	WriteTo(*codec.Buffer) error
	ReadFrom(*codec.Reader) error
}

var types = map[string]func() message{
	"LotofTags":         func() message { return new(LotofTags) },
	"ComplicatedStruct": func() message { return new(ComplicatedStruct) },
	"RequestPacket":     func() message { return new(requestf.RequestPacket) },
	"Numbers":           func() message { return new(Numbers) },
	"Blob":              func() message { return new(Blob) },
	"Text":              func() message { return new(Text) },
}

// values is a line of the file that the Rust side writes.
type values struct {
	Name   string
	Type   string
	Values []string
}

func main() {
	file, err := os.Open(os.Args[1])
	check(err)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var set values
		check(json.Unmarshal(line, &set))
		measure(out, set, types[set.Type])
	}
}

func measure(out *bufio.Writer, set values, make func() message) {
	var encoded [][]byte
	var decoded []message
	fmt.Fprintf(out, "bytes\t%s\t", set.Name)
	for _, text := range set.Values {
		data, err := hex.DecodeString(text)
		check(err)
		value := make()
		check(value.ReadFrom(codec.NewReader(data)))
		encoded = append(encoded, data)
		decoded = append(decoded, value)
		buf := codec.NewBuffer()
		check(value.WriteTo(buf))
		fmt.Fprintf(out, "%s ", hex.EncodeToString(buf.ToBytes()))
	}
	fmt.Fprintln(out)
	next := 0
	reused := bytes.NewBuffer(nil)
	buf := codec.NewBuffer(reused)
	encode := func() {
		next = (next + 1) % len(decoded)
		buf.Reset()
		check(decoded[next].WriteTo(buf))
	}
	decode := func() {
		next = (next + 1) % len(encoded)
		check(make().ReadFrom(codec.NewReader(encoded[next])))
	}
	fmt.Fprintf(out, "ns\t%s: encode\t%.1f\n", set.Name, ns(encode))
	fmt.Fprintf(out, "ns\t%s: decode\t%.1f\n", set.Name, ns(decode))
}

// ns is the best of 25 rounds of 10 ms: what else the machine does can only add to that.
func ns(do func()) float64 {
	count := 1
	for {
		if took := run(do, count); took > 5*time.Millisecond {
			count = int(float64(count)*float64(10*time.Millisecond)/float64(took)) + 1
			break
		}
		count *= 2
	}
	best := math.Inf(1)
	for i := 0; i < 25; i++ {
		best = math.Min(best, float64(run(do, count))/float64(count))
	}
	return best
}

func run(do func(), count int) time.Duration {
	start := time.Now()
	for i := 0; i < count; i++ {
		do()
	}
	return time.Since(start)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
