// TopK: https://onnx.ai/onnx/operators/onnx__TopK.html
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY(const int64_t axis,
          normal_axis(context.attributes().integer("axis", -1), context.rank(0)));
  Dims dims = context.dims(0);
  Dim& along = dims[static_cast<size_t>(axis)];
  const std::optional<Dims> k = context.elements(1);
  const Dim wanted = k && k->size() == 1 ? (*k)[0] : Dim::unknown();
  if (wanted.is_known() &&
      (wanted.value() < 0 || (along.is_known() && wanted.value() > along.value()))) {
    return refused("K is " + wanted.text() + ", but the axis has " + along.text() + " elements");
  }
  along = wanted;
  context.set_output(0, context.dtype(0), dims);
  context.set_output(1, DType::kI64, std::move(dims));
  return ok();
}

// Among equals the lower index comes first. NaN counts as the largest, as in PyTorch.
template <class W>
bool comes_first(W a, W b, bool largest) {
  if constexpr (std::is_same_v<W, double>) {
    if (std::isnan(a) || std::isnan(b))
      return largest ? std::isnan(a) && !std::isnan(b) : !std::isnan(a) && std::isnan(b);
  }
  return largest ? a > b : a < b;
}

template <class W>
Status select(const RunContext& context) {
  const auto rank = static_cast<int64_t>(context.input(0).rank());
  LAN_TRY(const int64_t axis, normal_axis(context.attributes().integer("axis", -1), rank));
  const bool largest = context.attributes().integer("largest", 1) != 0;
  const AxisView view = view_axis(context.input(0).shape, axis);
  const MutableTensorView& values_out = context.output(0);
  const bool has_values = values_out.present(),
             has_indices = context.output_count() > 1 && context.output(1).present();
  if ((!has_values && !has_indices) || context.input(0).count() == 0) return ok();
  const int64_t k = (has_values ? values_out : context.output(1)).shape[static_cast<size_t>(axis)];
  const std::vector<W> values = wide_copy<W>(context.input(0));
  std::vector<int64_t> order(static_cast<size_t>(view.size));
  for (int64_t i = 0; i < view.outer * view.inner; ++i) {
    const W* first = values.data() + i / view.inner * view.size * view.inner + i % view.inner;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
      const W left = first[a * view.inner], right = first[b * view.inner];
      if (comes_first(left, right, largest)) return true;
      return !comes_first(right, left, largest) && a < b;
    });
    const int64_t out = i / view.inner * k * view.inner + i % view.inner;
    for (int64_t n = 0; n < k; ++n) {
      const int64_t chosen = order[static_cast<size_t>(n)];
      if (has_values) store_wide(first + chosen * view.inner, values_out, out + n * view.inner, 1);
      if (has_indices)
        context.output(1).as<int64_t>()[static_cast<size_t>(out + n * view.inner)] = chosen;
    }
  }
  return ok();
}

Status reference(const RunContext& context) {
  switch (wide_kind(context.input(0).dtype)) {
    case WideKind::kReal:
      return select<double>(context);
    case WideKind::kSigned:
      return select<int64_t>(context);
    case WideKind::kUnsigned:
      return select<uint64_t>(context);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_top_k = {.name = "TopK",
                                         .since = 24,
                                         .inputs = {{"X", kNumbers}, {"K", kI64Type}},
                                         .outputs = {{"Values"}, {"Indices"}},
                                         .infer = infer,
                                         .reference = reference};

}  // namespace lanthorn
