package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/TarsCloud/TarsGo/tars/protocol/codec"
)

// What tars2go writes out for every type, found by reflection instead: the Go module proxy does not serve tars2go.
// The calls of TarsGo's codec are those of its generated code.

// field is what the `tars` tag of a struct's field says: `name,tag:N,require:B`.
type field struct {
	index   int
	tag     byte
	require bool
}

func fieldsOf(t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		parts := strings.Split(t.Field(i).Tag.Get("tars"), ",")
		tag, err := strconv.ParseUint(strings.TrimPrefix(parts[1], "tag:"), 10, 8)
		if err != nil {
			panic(fmt.Sprintf("%v.%s: %v", t, t.Field(i).Name, err))
		}
		fields[i] = field{i, byte(tag), parts[2] == "require:true"}
	}
	return fields
}

func put(b *codec.Buffer, v reflect.Value, tag byte) error {
	switch v.Kind() {
	case reflect.Bool:
		return b.WriteBool(v.Bool(), tag)
	case reflect.Int8:
		return b.WriteInt8(int8(v.Int()), tag)
	case reflect.Int16:
		return b.WriteInt16(int16(v.Int()), tag)
	case reflect.Int32:
		return b.WriteInt32(int32(v.Int()), tag)
	case reflect.Int64:
		return b.WriteInt64(v.Int(), tag)
	case reflect.Uint8:
		return b.WriteUint8(uint8(v.Uint()), tag)
	case reflect.Uint16:
		return b.WriteUint16(uint16(v.Uint()), tag)
	case reflect.Uint32:
		return b.WriteUint32(uint32(v.Uint()), tag)
	case reflect.Float32:
		return b.WriteFloat32(float32(v.Float()), tag)
	case reflect.Float64:
		return b.WriteFloat64(v.Float(), tag)
	case reflect.String:
		return b.WriteString(v.String(), tag)
	case reflect.Slice:
		return putSlice(b, v, tag)
	case reflect.Map:
		return putMap(b, v, tag)
	case reflect.Struct:
		if err := b.WriteHead(codec.StructBegin, tag); err != nil {
			return err
		}
		for _, f := range fieldsOf(v.Type()) {
			if err := put(b, v.Field(f.index), f.tag); err != nil {
				return err
			}
		}
		return b.WriteHead(codec.StructEnd, 0)
	}
	return fmt.Errorf("no Tars type: %v", v.Type())
}

func putSlice(b *codec.Buffer, v reflect.Value, tag byte) error {
	if bytes, ok := v.Interface().([]int8); ok {
		if err := b.WriteHead(codec.SimpleList, tag); err != nil {
			return err
		}
		if err := b.WriteHead(codec.BYTE, 0); err != nil {
			return err
		}
		if err := b.WriteInt32(int32(len(bytes)), 0); err != nil {
			return err
		}
		return b.WriteSliceInt8(bytes)
	}
	if err := b.WriteHead(codec.LIST, tag); err != nil {
		return err
	}
	if err := b.WriteInt32(int32(v.Len()), 0); err != nil {
		return err
	}
	for i := 0; i < v.Len(); i++ {
		if err := put(b, v.Index(i), 0); err != nil {
			return err
		}
	}
	return nil
}

func putMap(b *codec.Buffer, v reflect.Value, tag byte) error {
	if err := b.WriteHead(codec.MAP, tag); err != nil {
		return err
	}
	if err := b.WriteInt32(int32(v.Len()), 0); err != nil {
		return err
	}
	for entries := v.MapRange(); entries.Next(); {
		if err := put(b, entries.Key(), 0); err != nil {
			return err
		}
		if err := put(b, entries.Value(), 1); err != nil {
			return err
		}
	}
	return nil
}

// take reads into v, which can be set.
func take(r *codec.Reader, v reflect.Value, tag byte, require bool) error {
	switch p := v.Addr().Interface().(type) {
	case *bool:
		return r.ReadBool(p, tag, require)
	case *int8:
		return r.ReadInt8(p, tag, require)
	case *int16:
		return r.ReadInt16(p, tag, require)
	case *int32:
		return r.ReadInt32(p, tag, require)
	case *int64:
		return r.ReadInt64(p, tag, require)
	case *uint8:
		return r.ReadUint8(p, tag, require)
	case *uint16:
		return r.ReadUint16(p, tag, require)
	case *uint32:
		return r.ReadUint32(p, tag, require)
	case *float32:
		return r.ReadFloat32(p, tag, require)
	case *float64:
		return r.ReadFloat64(p, tag, require)
	case *string:
		return r.ReadString(p, tag, require)
	}
	switch v.Kind() {
	case reflect.Slice:
		return takeSlice(r, v, tag, require)
	case reflect.Map:
		return takeMap(r, v, tag, require)
	case reflect.Struct:
		have, err := r.SkipTo(codec.StructBegin, tag, require)
		if err != nil || !have {
			return err
		}
		for _, f := range fieldsOf(v.Type()) {
			if err := take(r, v.Field(f.index), f.tag, f.require); err != nil {
				return err
			}
		}
		return r.SkipToStructEnd()
	}
	return fmt.Errorf("no Tars type: %v", v.Type())
}

func takeSlice(r *codec.Reader, v reflect.Value, tag byte, require bool) error {
	have, ty, err := r.SkipToNoCheck(tag, require)
	if err != nil || !have {
		return err
	}
	var length int32
	switch ty {
	case codec.LIST:
		if err := r.ReadInt32(&length, 0, true); err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(v.Type(), int(length), int(length)))
		for i := 0; i < int(length); i++ {
			if err := take(r, v.Index(i), 0, false); err != nil {
				return err
			}
		}
		return nil
	case codec.SimpleList:
		bytes, ok := v.Addr().Interface().(*[]int8)
		if !ok {
			return fmt.Errorf("not support SimpleList type")
		}
		if _, err := r.SkipTo(codec.BYTE, 0, true); err != nil {
			return err
		}
		if err := r.ReadInt32(&length, 0, true); err != nil {
			return err
		}
		if length == 0 {
			*bytes = []int8{} // for comparisons; generated code leaves nil
		}
		return r.ReadSliceInt8(bytes, length, true)
	}
	return fmt.Errorf("require vector, but not")
}

func takeMap(r *codec.Reader, v reflect.Value, tag byte, require bool) error {
	have, err := r.SkipTo(codec.MAP, tag, require)
	if err != nil || !have {
		return err
	}
	var length int32
	if err := r.ReadInt32(&length, 0, true); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := int32(0); i < length; i++ {
		key := reflect.New(v.Type().Key()).Elem()
		if err := take(r, key, 0, false); err != nil {
			return err
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if err := take(r, value, 1, false); err != nil {
			return err
		}
		v.SetMapIndex(key, value)
	}
	return nil
}
