package main

import (
	"math"
	"strings"
)

// The values of values.rs.

const text = "h\u00e9llo \u4e16\u754c \U0001f600\n\"\\\x00"

func smallest() SimpleStruct {
	return SimpleStruct{math.MinInt64, math.MaxInt32, math.MinInt16}
}

func records() []SimpleStruct {
	return []SimpleStruct{
		{},
		{255, 32768, -129},
		smallest(),
		{math.MaxInt64, math.MinInt32, math.MaxInt16},
	}
}

func textMap() map[string]string {
	return map[string]string{"": "", "key": text, "\u952e": "value"}
}

func recordMap() map[string]SimpleStruct {
	return map[string]SimpleStruct{"": smallest(), text: {}}
}

// What TarsGo decodes an empty one to: its containers are there.
func emptyComplicated() ComplicatedStruct {
	return ComplicatedStruct{Ss: []SimpleStruct{}, Mss: map[string]SimpleStruct{}}
}

func complicated() ComplicatedStruct {
	return ComplicatedStruct{records(), smallest(), recordMap(), text}
}

func emptyTags() LotofTags {
	return LotofTags{Ss: []SimpleStruct{}, Mss: map[string]SimpleStruct{}}
}

func tags() LotofTags {
	return LotofTags{math.MaxInt64, math.MinInt32, -1, text, records(), smallest(), recordMap()}
}

func basic() Basic {
	return Basic{
		true, math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64, 1.5, -1e300, text,
		math.MaxUint8, math.MaxUint16, math.MaxUint32, 4711,
	}
}

func allBytes() []int8 {
	bytes := make([]int8, 256)
	for i := range bytes {
		bytes[i] = int8(i)
	}
	return bytes
}

func emptyContainers() Containers {
	return Containers{
		[]int8{}, []int16{}, []int32{}, []int64{}, []float32{}, []float64{}, []string{}, []Inner{}, [][]int32{},
		[][]int8{}, map[string]string{}, map[int32]string{}, map[int64]Inner{}, map[string][]int32{},
		map[string]map[int32]Inner{}, []map[string]int32{}, []uint8{}, []uint16{}, []uint32{}, []int32{},
		map[string][]int8{}, map[int8]int8{},
	}
}

func containers() Containers {
	return Containers{
		Bytes:   allBytes(),
		Shorts:  []int16{0, -1, math.MinInt16, math.MaxInt16},
		Ints:    []int32{0, -1, math.MinInt32, math.MaxInt32, 127, 128},
		Longs:   []int64{0, -1, math.MinInt64, math.MaxInt64},
		Floats:  []float32{0, -1.5, 0.25},
		Doubles: []float64{0, 1e300, -1e-300},
		Strs:    []string{"", text, strings.Repeat("x", 300)},
		Inners:  []Inner{{1, "one"}, {-1, ""}},
		Vvi:     [][]int32{{}, {1, 2}, {-3}},
		Vvb:     [][]int8{{}, allBytes()},
		Mss:     textMap(),
		Mis:     map[int32]string{math.MinInt32: "min", 0: "", 7: text},
		Mli:     map[int64]Inner{math.MaxInt64: {2, "two"}, -1: {}},
		Msv:     map[string][]int32{"": {}, "k": {1, -2}},
		Msm:     map[string]map[int32]Inner{"m": {-5: {5, text}}},
		Vm:      []map[string]int32{{}, {"a": 1}},
		Vub:     []uint8{0, 127, 128, 255},
		Vus:     []uint16{0, 32767, 32768, 65535},
		Vui:     []uint32{0, 1 << 31, math.MaxUint32},
		Colors:  []int32{0, -3, 70000, 4711},
		Msb:     map[string][]int8{"b": allBytes(), "empty": {}},
		Mbb:     map[int8]int8{-128: 127, 0: 0},
	}
}
