// The structs of benches/tars/bench.tars as tars2node generates them, which is in no registry. A `long` is text here,
// the only form in which @tars/stream keeps all of its digits.
"use strict";

const Stream = require("@tars/stream");
const { RequestPacket } = require("@tars/rpc/core/rpc-tars/RequestF.js").tars;

class Record {
  static _classname = "Bench.Record";
  _classname = "Bench.Record";
  static _write(os, tag, value) {
    os.writeStruct(tag, value);
  }
  static _read(is, tag, def) {
    return is.readStruct(tag, true, def);
  }
  static _readFrom(is) {
    const value = new Record();
    value.id = is.readInt64(0, true, "0", 1);
    value.count = is.readInt32(1, true, 0);
    value.page = is.readInt16(2, true, 0);
    return value;
  }
  _writeTo(os) {
    os.writeInt64(0, this.id, 1);
    os.writeInt32(1, this.count);
    os.writeInt16(2, this.page);
  }
}

class LotofTags {
  static _readFrom(is) {
    const value = new LotofTags();
    value.id = is.readInt64(0, true, "0", 1);
    value.count = is.readInt32(1, true, 0);
    value.page = is.readInt16(2, true, 0);
    value.str = is.readString(3, false, "");
    value.ss = is.readList(4, true, Stream.List(Record));
    value.rs = is.readStruct(5, true, Record);
    value.mss = is.readMap(6, true, Stream.Map(Stream.String, Record));
    return value;
  }
  _writeTo(os) {
    os.writeInt64(0, this.id, 1);
    os.writeInt32(1, this.count);
    os.writeInt16(2, this.page);
    os.writeString(3, this.str);
    os.writeList(4, this.ss);
    os.writeStruct(5, this.rs);
    os.writeMap(6, this.mss);
  }
}

class ComplicatedStruct {
  static _readFrom(is) {
    const value = new ComplicatedStruct();
    value.ss = is.readList(0, true, Stream.List(Record));
    value.rs = is.readStruct(1, true, Record);
    value.mss = is.readMap(2, true, Stream.Map(Stream.String, Record));
    value.str = is.readString(3, false, "");
    return value;
  }
  _writeTo(os) {
    os.writeList(0, this.ss);
    os.writeStruct(1, this.rs);
    os.writeMap(2, this.mss);
    os.writeString(3, this.str);
  }
}

class Numbers {
  static _readFrom(is) {
    const value = new Numbers();
    value.values = is.readList(0, true, Stream.List(Stream.Int32));
    return value;
  }
  _writeTo(os) {
    os.writeList(0, this.values);
  }
}

class Blob {
  static _readFrom(is) {
    const value = new Blob();
    value.data = is.readBytes(0, true, Stream.BinBuffer);
    return value;
  }
  _writeTo(os) {
    os.writeBytes(0, this.data);
  }
}

class Text {
  static _readFrom(is) {
    const value = new Text();
    value.text = is.readString(0, true, "");
    return value;
  }
  _writeTo(os) {
    os.writeString(0, this.text);
  }
}

module.exports = { LotofTags, ComplicatedStruct, Numbers, Blob, Text, RequestPacket };
