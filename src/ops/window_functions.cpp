// OPS: blackman_window hamming_window hann_window
// Windows for spectra: https://onnx.ai/onnx/operators/onnx__HannWindow.html and its kin

#include <cmath>

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  const DType dtype = dtype_from_onnx(c.attributes().integer("output_datatype", 1));
  if ((type_bit(dtype) & kNumbers) == 0) {
    return attribute_error("output_datatype", "windows are not made of that type");
  }
  if (all_known(c.dims(0)) && !product(c.dims(0)).is(1)) return refused("size is one number");
  Dim size = Dim::unknown();
  if (const auto known = c.elements(0); known && known->size() == 1) size = known->front();
  if (size.is_known() && size.value() < 0) return refused("a window of negative size");
  c.set_output(0, dtype, Dims{std::move(size)});
  return ok();
}

// a0 - a1 cos(x) + a2 cos(2x), with x from 0 to 2 pi.
Status cosines(const RunContext& c, double a0, double a1, double a2) {
  constexpr double kTwoPi = 6.283185307179586;
  const bool periodic = c.attributes().integer("periodic", 1) != 0;
  std::vector<double> window(static_cast<size_t>(c.output(0).count()));
  const double steps = static_cast<double>(window.size()) - (periodic ? 0 : 1);
  for (size_t i = 0; i < window.size(); ++i) {
    const double x = kTwoPi * static_cast<double>(i) / steps;
    window[i] = a0 - a1 * std::cos(x) + a2 * std::cos(2 * x);
  }
  write_doubles(c.output(0), window);
  return ok();
}

Status blackman(const RunContext& c) { return cosines(c, 0.42, 0.5, 0.08); }
Status hamming(const RunContext& c) { return cosines(c, 25.0 / 46, 21.0 / 46, 0); }
Status hann(const RunContext& c) { return cosines(c, 0.5, 0.5, 0); }

constexpr uint64_t kSizeTypes = type_bit(DType::kI32) | kI64Type;

constexpr OpDef window(std::string_view name, Status (*reference)(const RunContext&)) {
  return {.name = name,
          .since = 17,
          .inputs = {{"size", kSizeTypes}},
          .outputs = {{"output", kNumbers}},
          .accuracy = Accuracy::kRounding,
          .infer = infer,
          .reference = reference};
}

}  // namespace

extern constinit const OpDef op_blackman_window = window("BlackmanWindow", blackman);
extern constinit const OpDef op_hamming_window = window("HammingWindow", hamming);
extern constinit const OpDef op_hann_window = window("HannWindow", hann);

}  // namespace lanthorn
