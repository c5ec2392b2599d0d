// Until opset 13 Softmax, LogSoftmax and Hardmax saw their input as a matrix: all axes from `axis`
// on are one.

#include <string>

#include "formats/onnx/raise.h"

namespace lanthorn::onnx {
namespace {

Status matrix_softmax(Raiser& r) {
  if (!r.has_input(0)) return ok();
  int64_t axis = r.node.attributes.integer("axis", 1);
  const auto rank = r.rank(0);
  if (axis == -1 || (rank && (axis == *rank - 1 || *rank == 0))) {
    r.node.attributes.set("axis", int64_t{-1});
    return ok();
  }
  const ValueId input = r.node.inputs[0];
  const ValueId output = r.node.outputs[0];
  const ValueId shape = r.emit("Shape", {input});
  const ValueId matrix = r.emit("Flatten", {input}, {{"axis", axis}});
  const ValueId normal = r.emit(r.node.op, {matrix}, {{"axis", int64_t{-1}}});
  r.emit_into({output}, "Reshape", {normal, shape}, {{"allowzero", int64_t{1}}});
  return ok();
}

constexpr Rule kRules[] = {
    {"Softmax", 13, matrix_softmax},
    {"LogSoftmax", 13, matrix_softmax},
    {"Hardmax", 13, matrix_softmax},
};

}  // namespace

std::span<const Rule> softmax_rules() { return kRules; }

}  // namespace lanthorn::onnx
