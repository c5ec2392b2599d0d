#pragma once

#include <string_view>

// The operators of ONNX as text, one a line; the format is told in tools/make_onnx_schemas.py.
namespace lanthorn::onnx {

extern const std::string_view kTypeNames;  // "tensor(float)", ...; bit i of a set is line i
extern const std::string_view kTypeSets;   // in hexadecimal
extern const std::string_view kOperators;  // sorted by "DOMAIN.NAME"

}  // namespace lanthorn::onnx
