package main

import (
	"fmt"

	"github.com/TarsCloud/TarsGo/tars/protocol/codec"
)

// The structs of benches/tars/bench.tars with the calls of tars2go's code: the module proxy does not serve tars2go.

type Record struct {
	Id    int64
	Count int32
	Page  int16
}

func (st *Record) ReadFrom(r *codec.Reader) error {
	if err := r.ReadInt64(&st.Id, 0, true); err != nil {
		return err
	}
	if err := r.ReadInt32(&st.Count, 1, true); err != nil {
		return err
	}
	return r.ReadInt16(&st.Page, 2, true)
}

func (st *Record) ReadBlock(r *codec.Reader, tag byte, require bool) error {
	have, err := r.SkipTo(codec.StructBegin, tag, require)
	if err != nil || !have {
		return err
	}
	if err := st.ReadFrom(r); err != nil {
		return err
	}
	return r.SkipToStructEnd()
}

func (st *Record) WriteTo(b *codec.Buffer) error {
	if err := b.WriteInt64(st.Id, 0); err != nil {
		return err
	}
	if err := b.WriteInt32(st.Count, 1); err != nil {
		return err
	}
	return b.WriteInt16(st.Page, 2)
}

func (st *Record) WriteBlock(b *codec.Buffer, tag byte) error {
	if err := b.WriteHead(codec.StructBegin, tag); err != nil {
		return err
	}
	if err := st.WriteTo(b); err != nil {
		return err
	}
	return b.WriteHead(codec.StructEnd, 0)
}

func readRecords(r *codec.Reader, to *[]Record, tag byte) error {
	_, ty, err := r.SkipToNoCheck(tag, true)
	if err != nil {
		return err
	}
	if ty != codec.LIST {
		return fmt.Errorf("require vector, but not")
	}
	var length int32
	if err := r.ReadInt32(&length, 0, true); err != nil {
		return err
	}
	*to = make([]Record, length)
	for i := range *to {
		if err := (*to)[i].ReadBlock(r, 0, false); err != nil {
			return err
		}
	}
	return nil
}

func writeRecords(b *codec.Buffer, from []Record, tag byte) error {
	if err := b.WriteHead(codec.LIST, tag); err != nil {
		return err
	}
	if err := b.WriteInt32(int32(len(from)), 0); err != nil {
		return err
	}
	for i := range from {
		if err := from[i].WriteBlock(b, 0); err != nil {
			return err
		}
	}
	return nil
}

func readNamed(r *codec.Reader, to *map[string]Record, tag byte) error {
	if _, err := r.SkipTo(codec.MAP, tag, true); err != nil {
		return err
	}
	var length int32
	if err := r.ReadInt32(&length, 0, true); err != nil {
		return err
	}
	*to = make(map[string]Record)
	for i := int32(0); i < length; i++ {
		var key string
		var value Record
		if err := r.ReadString(&key, 0, false); err != nil {
			return err
		}
		if err := value.ReadBlock(r, 1, false); err != nil {
			return err
		}
		(*to)[key] = value
	}
	return nil
}

func writeNamed(b *codec.Buffer, from map[string]Record, tag byte) error {
	if err := b.WriteHead(codec.MAP, tag); err != nil {
		return err
	}
	if err := b.WriteInt32(int32(len(from)), 0); err != nil {
		return err
	}
	for key, value := range from {
		if err := b.WriteString(key, 0); err != nil {
			return err
		}
		if err := value.WriteBlock(b, 1); err != nil {
			return err
		}
	}
	return nil
}

type LotofTags struct {
	Id    int64
	Count int32
	Page  int16
	Str   string
	Ss    []Record
	Rs    Record
	Mss   map[string]Record
}

func (st *LotofTags) ReadFrom(r *codec.Reader) error {
	if err := r.ReadInt64(&st.Id, 0, true); err != nil {
		return err
	}
	if err := r.ReadInt32(&st.Count, 1, true); err != nil {
		return err
	}
	if err := r.ReadInt16(&st.Page, 2, true); err != nil {
		return err
	}
	if err := r.ReadString(&st.Str, 3, false); err != nil {
		return err
	}
	if err := readRecords(r, &st.Ss, 4); err != nil {
		return err
	}
	if err := st.Rs.ReadBlock(r, 5, true); err != nil {
		return err
	}
	return readNamed(r, &st.Mss, 6)
}

func (st *LotofTags) WriteTo(b *codec.Buffer) error {
	if err := b.WriteInt64(st.Id, 0); err != nil {
		return err
	}
	if err := b.WriteInt32(st.Count, 1); err != nil {
		return err
	}
	if err := b.WriteInt16(st.Page, 2); err != nil {
		return err
	}
	if err := b.WriteString(st.Str, 3); err != nil {
		return err
	}
	if err := writeRecords(b, st.Ss, 4); err != nil {
		return err
	}
	if err := st.Rs.WriteBlock(b, 5); err != nil {
		return err
	}
	return writeNamed(b, st.Mss, 6)
}

type ComplicatedStruct struct {
	Ss  []Record
	Rs  Record
	Mss map[string]Record
	Str string
}

func (st *ComplicatedStruct) ReadFrom(r *codec.Reader) error {
	if err := readRecords(r, &st.Ss, 0); err != nil {
		return err
	}
	if err := st.Rs.ReadBlock(r, 1, true); err != nil {
		return err
	}
	if err := readNamed(r, &st.Mss, 2); err != nil {
		return err
	}
	return r.ReadString(&st.Str, 3, false)
}

func (st *ComplicatedStruct) WriteTo(b *codec.Buffer) error {
	if err := writeRecords(b, st.Ss, 0); err != nil {
		return err
	}
	if err := st.Rs.WriteBlock(b, 1); err != nil {
		return err
	}
	if err := writeNamed(b, st.Mss, 2); err != nil {
		return err
	}
	return b.WriteString(st.Str, 3)
}

type Numbers struct {
	Values []int32
}

func (st *Numbers) ReadFrom(r *codec.Reader) error {
	if _, err := r.SkipTo(codec.LIST, 0, true); err != nil {
		return err
	}
	var length int32
	if err := r.ReadInt32(&length, 0, true); err != nil {
		return err
	}
	st.Values = make([]int32, length)
	for i := range st.Values {
		if err := r.ReadInt32(&st.Values[i], 0, false); err != nil {
			return err
		}
	}
	return nil
}

func (st *Numbers) WriteTo(b *codec.Buffer) error {
	if err := b.WriteHead(codec.LIST, 0); err != nil {
		return err
	}
	if err := b.WriteInt32(int32(len(st.Values)), 0); err != nil {
		return err
	}
	for _, value := range st.Values {
		if err := b.WriteInt32(value, 0); err != nil {
			return err
		}
	}
	return nil
}

type Blob struct {
	Data []int8
}

func (st *Blob) ReadFrom(r *codec.Reader) error {
	if _, err := r.SkipTo(codec.SimpleList, 0, true); err != nil {
		return err
	}
	if _, err := r.SkipTo(codec.BYTE, 0, true); err != nil {
		return err
	}
	var length int32
	if err := r.ReadInt32(&length, 0, true); err != nil {
		return err
	}
	return r.ReadSliceInt8(&st.Data, length, true)
}

func (st *Blob) WriteTo(b *codec.Buffer) error {
	if err := b.WriteHead(codec.SimpleList, 0); err != nil {
		return err
	}
	if err := b.WriteHead(codec.BYTE, 0); err != nil {
		return err
	}
	if err := b.WriteInt32(int32(len(st.Data)), 0); err != nil {
		return err
	}
	return b.WriteSliceInt8(st.Data)
}

type Text struct {
	Text string
}

func (st *Text) ReadFrom(r *codec.Reader) error {
	return r.ReadString(&st.Text, 0, true)
}

func (st *Text) WriteTo(b *codec.Buffer) error {
	return b.WriteString(st.Text, 0)
}
