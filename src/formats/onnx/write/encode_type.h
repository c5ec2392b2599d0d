#pragma once

#include <string>

#include "codec/protobuf.h"
#include "graph/graph.h"

namespace lanthorn::onnx {

/// Whether anything can be said of the type in a TypeProto.
bool has_type(const ValueType& type);
/// A TypeProto.
ProtoWriter encode_type(const ValueType& type);

}  // namespace lanthorn::onnx
