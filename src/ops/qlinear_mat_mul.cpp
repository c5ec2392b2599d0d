// QLinearMatMul: a product of quantized matrices, quantized again.
// https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html

#include "ops/matmul_shared.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kTypes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kScales = type_bit(DType::kF32) | type_bit(DType::kF16) | type_bit(DType::kBF16);

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_matmul(c.dims(0), c.dims(3)));
  c.set_output(0, c.dtype(7), std::move(y));
  return ok();
}

// How many zero points or scales there may be: one, or one a row (of a) or a column (of b).
Status check_count(size_t count, int64_t lines, std::string_view what) {
  if (count == 1 || count == static_cast<size_t>(lines)) return ok();
  return shape_error(std::string(what) + " has " + std::to_string(count) + " elements for " +
                     std::to_string(lines) + " lines");
}

Status reference(const RunContext& c) {
  LAN_OK(require_single(c, {6, 7}));
  const MutableTensorView& y = c.output(0);
  const MatMulShape shape = matmul_shape(c.input(0).shape, c.input(3).shape);
  const QuantizedOperand a_by = QuantizedOperand::read(c.input(1), &c.input(2));
  const QuantizedOperand b_by = QuantizedOperand::read(c.input(4), &c.input(5));
  const QuantizedOperand y_by = QuantizedOperand::read(c.input(6), &c.input(7));
  LAN_OK(check_count(a_by.scales.size(), shape.rows, "a_scale"));
  LAN_OK(check_count(a_by.zeros.size(), shape.rows, "a_zero_point"));
  LAN_OK(check_count(b_by.scales.size(), shape.columns, "b_scale"));
  LAN_OK(check_count(b_by.zeros.size(), shape.columns, "b_zero_point"));
  std::vector<double> a = read_doubles(c.input(0)), b = read_doubles(c.input(3));
  const auto rows = static_cast<size_t>(shape.rows), columns = static_cast<size_t>(shape.columns);
  const auto depth = static_cast<size_t>(shape.depth);
  for (size_t i = 0; i < a.size(); ++i) a[i] -= static_cast<double>(a_by.zero(i / depth % rows));
  for (size_t i = 0; i < b.size(); ++i) b[i] -= static_cast<double>(b_by.zero(i % columns));
  std::vector<double> sums(static_cast<size_t>(y.count()));
  multiply(shape, a.data(), b.data(), sums.data());
  const IntegerRange range = integer_range(y.dtype);
  for (size_t i = 0; i < sums.size(); ++i) {
    const auto factor = static_cast<float>(a_by.scale(i / columns % rows) *
                                           b_by.scale(i % columns) / y_by.scale(0));
    sums[i] =
        static_cast<double>(quantized(static_cast<float>(sums[i]) * factor, y_by.zero(0), range));
  }
  write_doubles(y, sums);
  return ok();
}

}  // namespace

extern constinit const OpDef op_qlinear_mat_mul{
    .name = "QLinearMatMul",
    .since = 21,
    .inputs = {{"a", kTypes},
               {"a_scale", kScales},
               {"a_zero_point", kTypes},
               {"b", kTypes},
               {"b_scale", kScales},
               {"b_zero_point", kTypes},
               {"y_scale", kScales},
               {"y_zero_point", kTypes}},
    .outputs = {{"y", kTypes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
