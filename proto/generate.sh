#!/bin/sh
# Writes proto/mediadb_contract/{mediadb,handler}_pb2.py and .pyi from mediadb.proto and handler.proto.
#
#   proto/generate.sh [FOLDER]     FOLDER: where mediadb_contract/ is written, default: beside this script
#
# Code from protoc 3.21 runs on every protobuf runtime from 4.21.12 on; code from a newer protoc refuses older
# runtimes. So the generator is the oldest one supported: protoc 3.21.x, from Debian 12's protobuf-compiler or from the
# PyPI package grpcio-tools==1.51.3 (python -m grpc_tools.protoc; PYTHON names the interpreter that has it).
# The output of 3.21.6 and 3.21.12 is the same, byte for byte; tests/wire/test_generated.py compares.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here}
if command -v protoc >/dev/null 2>&1 && protoc --version | grep -q '^libprotoc 3\.21\.'; then
    set -- protoc
elif "${PYTHON:-python3}" -m grpc_tools.protoc --version 2>/dev/null | grep -q '^libprotoc 3\.21\.'; then
    set -- "${PYTHON:-python3}" -m grpc_tools.protoc
else
    echo 'generate.sh: no protoc 3.21.x: install protobuf-compiler (Debian 12) or grpcio-tools==1.51.3' >&2
    exit 69
fi
cd "$here"
# The proto file is mapped into the package's folder so that the messages know the module they live in.
"$@" -Imediadb_contract="$here" --python_out="$out" --pyi_out="$out" mediadb_contract/mediadb.proto mediadb_contract/handler.proto
