package main

// The types of example.tars and alltypes.tars, as tars2go declares them.

type SimpleStruct struct {
	Id    int64 `json:"id" tars:"id,tag:0,require:true"`
	Count int32 `json:"count" tars:"count,tag:1,require:true"`
	Page  int16 `json:"page" tars:"page,tag:2,require:true"`
}

type OutStruct struct {
	Id    int64  `json:"id" tars:"id,tag:0,require:true"`
	Count int32  `json:"count" tars:"count,tag:1,require:true"`
	Page  int16  `json:"page" tars:"page,tag:2,require:true"`
	Str   string `json:"str" tars:"str,tag:3,require:false"`
}

type ComplicatedStruct struct {
	Ss  []SimpleStruct          `json:"ss" tars:"ss,tag:0,require:true"`
	Rs  SimpleStruct            `json:"rs" tars:"rs,tag:1,require:true"`
	Mss map[string]SimpleStruct `json:"mss" tars:"mss,tag:2,require:true"`
	Str string                  `json:"str" tars:"str,tag:3,require:false"`
}

type LotofTags struct {
	Id    int64                   `json:"id" tars:"id,tag:0,require:true"`
	Count int32                   `json:"count" tars:"count,tag:1,require:true"`
	Page  int16                   `json:"page" tars:"page,tag:2,require:true"`
	Str   string                  `json:"str" tars:"str,tag:3,require:false"`
	Ss    []SimpleStruct          `json:"ss" tars:"ss,tag:4,require:true"`
	Rs    SimpleStruct            `json:"rs" tars:"rs,tag:5,require:true"`
	Mss   map[string]SimpleStruct `json:"mss" tars:"mss,tag:6,require:true"`
}

type Basic struct {
	B   bool    `json:"b" tars:"b,tag:0,require:true"`
	C   int8    `json:"c" tars:"c,tag:1,require:true"`
	S   int16   `json:"s" tars:"s,tag:2,require:true"`
	I   int32   `json:"i" tars:"i,tag:3,require:true"`
	L   int64   `json:"l" tars:"l,tag:4,require:true"`
	F   float32 `json:"f" tars:"f,tag:5,require:true"`
	D   float64 `json:"d" tars:"d,tag:6,require:true"`
	Str string  `json:"str" tars:"str,tag:7,require:true"`
	Ub  uint8   `json:"ub" tars:"ub,tag:8,require:true"`
	Us  uint16  `json:"us" tars:"us,tag:9,require:true"`
	Ui  uint32  `json:"ui" tars:"ui,tag:10,require:true"`
	E   int32   `json:"e" tars:"e,tag:11,require:true"`
}

type Inner struct {
	Id   int32  `json:"id" tars:"id,tag:0,require:true"`
	Name string `json:"name" tars:"name,tag:1,require:false"`
}

type Containers struct {
	Bytes   []int8                     `json:"bytes" tars:"bytes,tag:0,require:true"`
	Shorts  []int16                    `json:"shorts" tars:"shorts,tag:2,require:true"`
	Ints    []int32                    `json:"ints" tars:"ints,tag:3,require:true"`
	Longs   []int64                    `json:"longs" tars:"longs,tag:4,require:true"`
	Floats  []float32                  `json:"floats" tars:"floats,tag:5,require:true"`
	Doubles []float64                  `json:"doubles" tars:"doubles,tag:6,require:true"`
	Strs    []string                   `json:"strs" tars:"strs,tag:7,require:true"`
	Inners  []Inner                    `json:"inners" tars:"inners,tag:8,require:true"`
	Vvi     [][]int32                  `json:"vvi" tars:"vvi,tag:9,require:true"`
	Vvb     [][]int8                   `json:"vvb" tars:"vvb,tag:10,require:true"`
	Mss     map[string]string          `json:"mss" tars:"mss,tag:11,require:true"`
	Mis     map[int32]string           `json:"mis" tars:"mis,tag:12,require:true"`
	Mli     map[int64]Inner            `json:"mli" tars:"mli,tag:13,require:true"`
	Msv     map[string][]int32         `json:"msv" tars:"msv,tag:14,require:true"`
	Msm     map[string]map[int32]Inner `json:"msm" tars:"msm,tag:15,require:true"`
	Vm      []map[string]int32         `json:"vm" tars:"vm,tag:16,require:true"`
	Vub     []uint8                    `json:"vub" tars:"vub,tag:17,require:true"`
	Vus     []uint16                   `json:"vus" tars:"vus,tag:18,require:true"`
	Vui     []uint32                   `json:"vui" tars:"vui,tag:19,require:true"`
	Colors  []int32                    `json:"colors" tars:"colors,tag:20,require:true"`
	Msb     map[string][]int8          `json:"msb" tars:"msb,tag:21,require:true"`
	Mbb     map[int8]int8              `json:"mbb" tars:"mbb,tag:22,require:true"`
}

// function is a function of an interface and the method of an implementation that runs it. Parameters stand in the
// order of the IDL; the outputs are those that the method takes by pointer.
type function struct {
	method     string
	parameters []string
}

var testTafService = map[string]function{
	"testTafServer":         {"TestTafServer", nil},
	"testLofofTags":         {"TestLofofTags", []string{"tags", "outtags"}},
	"sayHelloWorld":         {"SayHelloWorld", []string{"name", "outGreetings"}},
	"testBasic":             {"TestBasic", []string{"a", "b", "c", "d", "e", "f"}},
	"testStruct":            {"TestStruct", []string{"a", "b", "d"}},
	"testMap":               {"TestMap", []string{"a", "b", "m1", "d", "m2"}},
	"testVector":            {"TestVector", []string{"a", "v1", "v2", "v3", "v4"}},
	"testReturn":            {"TestReturn", nil},
	"testReturn2":           {"TestReturn2", nil},
	"testComplicatedStruct": {"TestComplicatedStruct", []string{"cs", "vcs", "ocs", "ovcs"}},
	"testComplicatedMap":    {"TestComplicatedMap", []string{"mcs", "omcs"}},
	"testEmpty":             {"TestEmpty", []string{"a", "b1", "in2", "d", "v3", "v4"}},
	"testProperty":          {"TestProperty", nil},
}

var allTypesIf = map[string]function{
	"echoBasic":      {"EchoBasic", []string{"in", "o"}},
	"echoContainers": {"EchoContainers", []string{"in", "o"}},
	"echoBytes":      {"EchoBytes", []string{"data"}},
}
