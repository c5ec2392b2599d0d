// MaxPool: https://onnx.ai/onnx/operators/onnx__MaxPool.html

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/numbers_shared.h"
#include "ops/pool_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kTypes = kFloats | type_bit(DType::kI8) | type_bit(DType::kU8);

Status infer(InferContext& c) {
  LAN_TRY(const Dims y, infer_pool(c.attributes(), c.dims(0)));
  c.set_output(0, c.dtype(0), y);
  c.set_output(1, DType::kI64, y);
  return ok();
}

// A position in a plane when its axes are counted in Fortran order.
int64_t column_major(int64_t at, std::span<const int64_t> sizes) {
  std::vector<int64_t> index(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 0; at /= sizes[axis]) index[axis] = at % sizes[axis];
  int64_t position = 0;
  for (size_t axis = sizes.size(); axis-- > 0;) position = position * sizes[axis] + index[axis];
  return position;
}

double smallest(DType dtype) {
  if (dtype == DType::kI8) return -128;
  return dtype == DType::kU8 ? 0 : -std::numeric_limits<double>::infinity();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const MutableTensorView shaped = y.present() ? y : c.output(1);
  const PoolShape s = pool_shape(c.attributes(), c.input(0).shape, shaped.shape);
  const bool columns = c.attributes().integer("storage_order", 0) == 1;
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> best(static_cast<size_t>(shaped.count()));
  std::vector<int64_t> where(best.size());
  for_each_position(s, [&](int64_t position, const PoolTaps& taps) {
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      const double* from = x.data() + plane * s.in_size;
      double largest = smallest(c.input(0).dtype);
      int64_t found = taps.inside.empty() ? 0 : taps.inside.front();
      bool any = false;
      for (const int64_t at : taps.inside) {
        const double value = from[at];
        if (any && !(value > largest) && !(std::isnan(value) && !std::isnan(largest))) continue;
        largest = value;
        found = at;
        any = true;
      }
      const auto to = static_cast<size_t>(plane * s.out_size + position);
      best[to] = largest;
      where[to] = plane * s.in_size + (columns ? column_major(found, s.in) : found);
    }
  });
  write_doubles(y, best);
  if (c.output_count() > 1 && c.output(1).present()) {
    std::copy(where.begin(), where.end(), c.output(1).as<int64_t>().begin());
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_max_pool{
    .name = "MaxPool",
    .since = 22,
    .inputs = {{"X", kTypes}},
    .outputs = {{"Y", kTypes}, {"Indices", kI64Type, true}},
    .accuracy = Accuracy::kExact,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
