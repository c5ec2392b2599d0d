// Pad: https://onnx.ai/onnx/operators/onnx__Pad.html
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

// Elements added (or, if negative, cut) before and after each dimension.
struct Pads {
  std::vector<int64_t> before, after;
};

Result<std::vector<int64_t>> padded_axes(const std::optional<std::vector<int64_t>>& given,
                                         int64_t rank) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; !given && i < rank; ++i) axes.push_back(i);
  if (!given) return axes;
  LAN_TRY([[maybe_unused]] const auto sorted, normal_axes(*given, rank));
  for (const int64_t axis : *given) axes.push_back(axis < 0 ? axis + rank : axis);
  return axes;
}

Status infer(InferContext& context) {
  const std::string_view mode = context.attributes().text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    return refused("there is no mode \"" + std::string(mode) + "\"");
  }
  if (context.has_input(2) && context.dtype(2) != context.dtype(0))
    return refused("data and constant_value have different types");
  Dims dims = context.dims(0);
  const std::optional<Dims> pads = context.elements(1);
  std::optional<std::vector<int64_t>> given;
  if (context.has_input(3)) given = known_ints(context, 3);
  if (!pads || (context.has_input(3) && !given)) {
    context.set_output(0, context.dtype(0), unknown_dims(dims.size()));
    return ok();
  }
  LAN_TRY(const std::vector<int64_t> axes, padded_axes(given, context.rank(0)));
  if (pads->size() != 2 * axes.size()) {
    return refused(std::to_string(pads->size()) + " pads for " + std::to_string(axes.size()) +
                   " dimensions");
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = dims[static_cast<size_t>(axes[i])];
    const Dim &before = (*pads)[i], &after = (*pads)[i + axes.size()];
    const Dim padded = dim + before + after;
    const Dim left = dim + min(before, 0) + min(after, 0);
    if (left.is_known() && left.value() < 0)
      return refused("pads cut more than " + dims_text(context.dims(0)) + " has");
    if (mode != "constant" && left.is(0) && !padded.is(0))
      return refused("nothing of an empty dimension can be repeated");
    dim = padded;
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

// The place that `at`, counted from the first element of the input, repeats; -1 for none.
int64_t source_of(int64_t at, int64_t size, std::string_view mode) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return -1;
  if (mode == "edge") return at < 0 ? 0 : size - 1;
  if (mode == "wrap") return (at % size + size) % size;
  if (size == 1) return 0;
  // Reflecting at both ends repeats with this period.
  const int64_t period = 2 * (size - 1);
  const int64_t folded = (at % period + period) % period;
  return folded < size ? folded : period - folded;
}

// For each dimension of the output the place in the input, in elements, or -1.
std::vector<std::vector<int64_t>> sources_of(const RunContext& context, const Pads& pads) {
  const TensorView& from = context.input(0);
  const std::string_view mode = context.attributes().text("mode", "constant");
  const Shape strides = contiguous_strides(from.shape);
  std::vector<std::vector<int64_t>> sources(from.rank());
  for (size_t d = 0; d < from.rank(); ++d) {
    // What is cut is gone before anything is repeated.
    const int64_t cut = std::max<int64_t>(-pads.before[d], 0),
                  cut_after = std::max<int64_t>(-pads.after[d], 0);
    const int64_t size = from.shape[d] - cut - cut_after;
    for (int64_t i = 0; i < context.output(0).shape[d]; ++i) {
      const int64_t place = source_of(i - std::max<int64_t>(pads.before[d], 0), size, mode);
      sources[d].push_back(place < 0 ? -1 : (place + cut) * strides[d]);
    }
  }
  return sources;
}

Status reference(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const size_t rank = from.rank();
  const std::vector<int64_t> numbers = wide_copy<int64_t>(context.input(1));
  std::optional<std::vector<int64_t>> given;
  if (context.has_input(3)) given = wide_copy<int64_t>(context.input(3));
  LAN_TRY(const std::vector<int64_t> axes, padded_axes(given, static_cast<int64_t>(rank)));
  Pads pads{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    pads.before[static_cast<size_t>(axes[i])] = numbers[i];
    pads.after[static_cast<size_t>(axes[i])] = numbers[i + axes.size()];
  }
  const std::vector<std::vector<int64_t>> sources = sources_of(context, pads);
  const bool has_value = context.has_input(2) && context.input(2).count() > 0;
  std::vector<int64_t> index(rank, 0);
  for (int64_t i = 0; i < to.count(); ++i) {
    int64_t at = 0;
    for (size_t d = 0; d < rank && at >= 0; ++d)
      at = sources[d][static_cast<size_t>(index[d])] < 0
               ? -1
               : at + sources[d][static_cast<size_t>(index[d])];
    std::byte* target = element_at(to.dtype, to.data, i);
    if (at >= 0) {
      copy_elements(to.dtype, element_at(from.dtype, from.data, at), target, 1);
    } else if (has_value) {
      copy_elements(to.dtype, context.input(2).data, target, 1);
    } else {
      clear_elements(to.dtype, target, 1);
    }
    next_index(to.shape, index);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_pad = {
    .name = "Pad",
    .since = 25,
    .inputs = {{"data"},
               {"pads", kI64Type},
               {"constant_value", kAnyType, true},
               {"axes", type_bit(DType::kI32) | type_bit(DType::kI64), true}},
    .outputs = {{"output"}},
    .infer = infer,
    .reference = reference};

}  // namespace lanthorn
