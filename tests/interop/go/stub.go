package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/TarsCloud/TarsGo/tars"
	"github.com/TarsCloud/TarsGo/tars/protocol/codec"
	"github.com/TarsCloud/TarsGo/tars/protocol/res/basef"
	"github.com/TarsCloud/TarsGo/tars/protocol/res/requestf"
	"github.com/TarsCloud/TarsGo/tars/protocol/tup"
	"github.com/TarsCloud/TarsGo/tars/util/current"
	"github.com/TarsCloud/TarsGo/tars/util/tools"
)

// dispatcher does what the Dispatch of generated code does. A method of the implementation takes a context and the
// parameters, and gives perhaps a result, and an error.
type dispatcher struct{ functions map[string]function }

func (d dispatcher) Dispatch(ctx context.Context, imp interface{}, req *requestf.RequestPacket, resp *requestf.ResponsePacket, _ bool) error {
	fn, ok := d.functions[req.SFuncName]
	if !ok {
		return fmt.Errorf("func mismatch")
	}
	method := reflect.ValueOf(imp).MethodByName(fn.method)
	named, err := readerOf(req)
	if err != nil {
		return err
	}
	args := []reflect.Value{reflect.ValueOf(ctx)}
	outputs := map[int]reflect.Value{}
	for i, name := range fn.parameters {
		t := method.Type().In(i + 1)
		if t.Kind() == reflect.Ptr {
			out := reflect.New(t.Elem())
			outputs[i] = out.Elem()
			args = append(args, out)
			continue
		}
		arg := reflect.New(t).Elem()
		if err := named.take(arg, name, byte(i+1)); err != nil {
			return err
		}
		args = append(args, arg)
	}
	results := method.Call(args)
	if err, _ := results[len(results)-1].Interface().(error); err != nil {
		return err
	}
	w := writerOf(req.IVersion)
	if len(results) == 2 {
		if err := w.put(results[0], "tars_ret", 0); err != nil {
			return err
		}
	}
	for i, name := range fn.parameters {
		if out, ok := outputs[i]; ok {
			if err := w.put(out, name, byte(i+1)); err != nil {
				return err
			}
		}
	}
	body, err := w.finish()
	if err != nil {
		return err
	}
	status, _ := current.GetResponseStatus(ctx)
	responseContext, _ := current.GetResponseContext(ctx)
	*resp = requestf.ResponsePacket{
		IVersion:   req.IVersion,
		IRequestId: req.IRequestId,
		SBuffer:    tools.ByteToInt8(body),
		Status:     status,
		Context:    responseContext,
	}
	return nil
}

// reader finds the values of a body in the three versions that TarsGo knows.
type reader struct {
	tars *codec.Reader
	tup  *tup.UniAttribute
	json map[string]json.RawMessage
}

func readerOf(req *requestf.RequestPacket) (reader, error) {
	body := codec.NewReader(tools.Int8ToByte(req.SBuffer))
	switch req.IVersion {
	case basef.TARSVERSION:
		return reader{tars: body}, nil
	case basef.TUPVERSION:
		values := tup.NewUniAttribute()
		err := values.Decode(body)
		return reader{tup: values}, err
	case basef.JSONVERSION:
		values, err := jsonOf(tools.Int8ToByte(req.SBuffer))
		return reader{json: values}, err
	}
	return reader{}, fmt.Errorf("decode reqpacket fail, error version: %d", req.IVersion)
}

func jsonOf(body []byte) (map[string]json.RawMessage, error) {
	var values map[string]json.RawMessage
	err := json.NewDecoder(bytes.NewReader(body)).Decode(&values)
	return values, err
}

func (r reader) take(v reflect.Value, name string, tag byte) error {
	switch {
	case r.tars != nil:
		return take(r.tars, v, tag, true)
	case r.tup != nil:
		var value []byte
		if err := r.tup.GetBuffer(name, &value); err != nil {
			return err
		}
		return take(codec.NewReader(value), v, 0, true)
	}
	value, ok := r.json[name]
	if !ok {
		return fmt.Errorf("no %s", name)
	}
	return json.Unmarshal(value, v.Addr().Interface())
}

type writer struct {
	tars *codec.Buffer
	tup  *tup.UniAttribute
	json map[string]interface{}
}

func writerOf(version int16) writer {
	switch version {
	case basef.TUPVERSION:
		return writer{tup: tup.NewUniAttribute()}
	case basef.JSONVERSION:
		return writer{json: map[string]interface{}{}}
	}
	return writer{tars: codec.NewBuffer()}
}

func (w writer) put(v reflect.Value, name string, tag byte) error {
	switch {
	case w.tars != nil:
		return put(w.tars, v, tag)
	case w.tup != nil:
		value := codec.NewBuffer()
		if err := put(value, v, 0); err != nil {
			return err
		}
		w.tup.PutBuffer(name, value.ToBytes())
		if tag == 0 {
			w.tup.PutBuffer("", value.ToBytes())
		}
		return nil
	}
	w.json[name] = v.Interface()
	return nil
}

func (w writer) finish() ([]byte, error) {
	switch {
	case w.tars != nil:
		return w.tars.ToBytes(), nil
	case w.tup != nil:
		body := codec.NewBuffer()
		err := w.tup.Encode(body)
		return body.ToBytes(), err
	}
	return json.Marshal(w.json)
}

// proxy calls functions as the proxy functions of generated code do. Those know version 1; bodies of version 5 are
// made here.
type proxy struct {
	servant   *tars.ServantProxy
	version   int16
	functions map[string]function
}

type options struct {
	context map[string]string
	status  map[string]string
	oneway  bool
	// Set to the context of the answer.
	answered *map[string]string
}

// call calls a function: result is a pointer or nil, and so are the arguments that are outputs.
func (p proxy) call(ctx context.Context, name string, o options, result interface{}, args ...interface{}) error {
	parameters := p.functions[name].parameters
	w := writerOf(p.version)
	for i, arg := range args {
		v := reflect.ValueOf(arg)
		if v.Kind() == reflect.Ptr {
			if p.version != basef.TARSVERSION {
				continue
			}
			v = v.Elem() // TarsGo sends outputs as well
		}
		if err := w.put(v, parameters[i], byte(i+1)); err != nil {
			return err
		}
	}
	body, err := w.finish()
	if err != nil {
		return err
	}
	var packetType byte
	if o.oneway {
		packetType = 1
	}
	resp := new(requestf.ResponsePacket)
	err = p.servant.TarsInvoke(ctx, packetType, name, body, o.status, o.context, resp)
	if err != nil || o.oneway || name == "tars_ping" {
		return err
	}
	if o.answered != nil {
		*o.answered = resp.Context
	}
	r := reader{tars: codec.NewReader(tools.Int8ToByte(resp.SBuffer))}
	if p.version == basef.JSONVERSION {
		values, err := jsonOf(tools.Int8ToByte(resp.SBuffer))
		if err != nil {
			return err
		}
		r = reader{json: values}
	}
	if result != nil {
		if err := r.take(reflect.ValueOf(result).Elem(), "tars_ret", 0); err != nil {
			return err
		}
	}
	for i, arg := range args {
		if v := reflect.ValueOf(arg); v.Kind() == reflect.Ptr {
			if err := r.take(v.Elem(), parameters[i], byte(i+1)); err != nil {
				return err
			}
		}
	}
	return nil
}
