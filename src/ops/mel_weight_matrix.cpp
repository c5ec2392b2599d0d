// MelWeightMatrix: https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html

#include <algorithm>
#include <cmath>

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Dim known_number(const InferContext& c, size_t input) {
  const auto known = c.elements(input);
  return known && known->size() == 1 ? known->front() : Dim::unknown();
}

Status infer(InferContext& c) {
  const DType dtype = dtype_from_onnx(c.attributes().integer("output_datatype", 1));
  if ((type_bit(dtype) & kNumbers) == 0) {
    return attribute_error("output_datatype", "the matrix is not made of that type");
  }
  for (size_t i = 0; i < 5; ++i) {
    if (all_known(c.dims(i)) && !product(c.dims(i)).is(1)) {
      return refused("every input is one number");
    }
  }
  const Dim bins = known_number(c, 0), length = known_number(c, 1);
  if ((bins.is_known() && bins.value() < 0) || (length.is_known() && length.value() < 0)) {
    return refused("a negative number of bands or bins");
  }
  c.set_output(0, dtype, Dims{floor_div(length, Dim(2)) + Dim(1), bins});
  return ok();
}

double mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

Status reference(const RunContext& c) {
  const int64_t rows = c.output(0).shape[0], bands = c.output(0).shape[1];
  const double length = read_doubles(c.input(1))[0], rate = read_doubles(c.input(2))[0];
  const double low = mel(read_doubles(c.input(3))[0]), high = mel(read_doubles(c.input(4))[0]);
  if (!(rate > 0)) return shape_error("sample_rate must be positive");
  // The bin of every edge: triangle i rises from edge i to i + 1 and falls to i + 2.
  std::vector<int64_t> edges(static_cast<size_t>(bands) + 2);
  const double step = (high - low) / static_cast<double>(bands + 2);
  for (size_t i = 0; i < edges.size(); ++i) {
    const double frequency = hertz(low + step * static_cast<double>(i));
    const double bin = std::floor((length + 1) * frequency / rate);
    if (!(bin >= 0 && bin < static_cast<double>(rows))) {
      return shape_error("a band reaches beyond the spectrum");
    }
    edges[i] = static_cast<int64_t>(bin);
  }
  std::vector<double> matrix(static_cast<size_t>(rows * bands));
  for (int64_t band = 0; band < bands; ++band) {
    const auto at = [&](int64_t row) -> double& {
      return matrix[static_cast<size_t>(row * bands + band)];
    };
    const int64_t left = edges[static_cast<size_t>(band)];
    const int64_t center = edges[static_cast<size_t>(band) + 1];
    const int64_t right = edges[static_cast<size_t>(band) + 2];
    if (left == center) at(center) = 1;
    for (int64_t row = left; left < center && row <= center; ++row) {
      at(row) = static_cast<double>(row - left) / static_cast<double>(center - left);
    }
    for (int64_t row = center; row < right; ++row) {
      at(row) = static_cast<double>(right - row) / static_cast<double>(right - center);
    }
  }
  write_doubles(c.output(0), matrix);
  return ok();
}

constexpr uint64_t kCounts = type_bit(DType::kI32) | kI64Type;

}  // namespace

extern constinit const OpDef op_mel_weight_matrix{
    .name = "MelWeightMatrix",
    .since = 17,
    .inputs = {{"num_mel_bins", kCounts},
               {"dft_length", kCounts},
               {"sample_rate", kCounts},
               {"lower_edge_hertz", kFloats},
               {"upper_edge_hertz", kFloats}},
    .outputs = {{"output", kNumbers}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
