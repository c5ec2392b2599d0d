// OPS: view_as_real view_as_complex
// Complex numbers as pairs of real ones in a last dimension of size 2, and back: where a program's complex tensors come
// into a graph and go out of it. Inside of graphs there are only the pairs.

#include <cstring>

#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kComplexTypes = type_bit(DType::kC32) | type_bit(DType::kC64) | type_bit(DType::kC128);
constexpr uint64_t kPartTypes = type_bit(DType::kF16) | type_bit(DType::kF32) | type_bit(DType::kF64);

Status infer_to_real(InferContext& c) {
  Dims dims = c.dims(0);
  dims.push_back(Dim(2));
  const DType from = c.dtype(0);
  c.set_output(0, from == DType::kC128 ? DType::kF64 : from == DType::kC32 ? DType::kF16 : DType::kF32, std::move(dims));
  return ok();
}

Status infer_to_complex(InferContext& c) {
  LAN_OK(require_rank(c, 0, 1));
  Dims dims = c.dims(0);
  if (dims.back().is_known() && !dims.back().is(2)) return refused("a complex number has two parts");
  dims.pop_back();
  const DType from = c.dtype(0);
  c.set_output(0, from == DType::kF64 ? DType::kC128 : from == DType::kF16 ? DType::kC32 : DType::kC64, std::move(dims));
  return ok();
}

Status copy_bytes(const RunContext& c) {
  const TensorView& from = c.input(0);
  if (from.count() > 0)
    std::memcpy(c.output(0).data, from.data, static_cast<size_t>(from.count()) * dtype_bytes(from.dtype));
  return ok();
}

}  // namespace

extern constinit const OpDef op_view_as_real{
    .name = "ViewAsReal",
    .domain = "lanthorn",
    .inputs = {{"x", kComplexTypes}},
    .outputs = {{"y", kPartTypes}},
    .infer = infer_to_real,
    .reference = copy_bytes,
};

extern constinit const OpDef op_view_as_complex{
    .name = "ViewAsComplex",
    .domain = "lanthorn",
    .inputs = {{"x", kPartTypes}},
    .outputs = {{"y", kComplexTypes}},
    .infer = infer_to_complex,
    .reference = copy_bytes,
};

}  // namespace lanthorn
