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

Pads read_pads(const RunContext& context, const std::vector<int64_t>& axes) {
  const size_t rank = context.input(0).rank();
  const std::vector<int64_t> numbers = wide_copy<int64_t>(context.input(1));
  Pads pads{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    pads.before[static_cast<size_t>(axes[i])] = numbers[i];
    pads.after[static_cast<size_t>(axes[i])] = numbers[i + axes.size()];
  }
  return pads;
}

// Fills adjacent elements with the value that padding has.
void fill(const RunContext& context, int64_t at, int64_t count) {
  const MutableTensorView& to = context.output(0);
  std::byte* target = element_at(to.dtype, to.data, at);
  if (!context.has_input(2) || context.input(2).count() == 0) {
    return clear_elements(to.dtype, target, static_cast<size_t>(count));
  }
  const int64_t none = 0, one = 1;
  copy_strided(to.dtype, std::span(&count, 1), context.input(2).data, std::span(&none, 1), target,
               std::span(&one, 1));
}

// One row of the output from a row of the input that begins at `from`, in runs of adjacent
// elements.
void write_row(const RunContext& context, std::span<const int64_t> sources, int64_t from,
               int64_t at) {
  const DType dtype = context.output(0).dtype;
  for (size_t first = 0, last; first < sources.size(); first = last) {
    last = first + 1;
    const bool padding = sources[first] < 0;
    while (last < sources.size() && sources[last] == (padding ? -1 : sources[last - 1] + 1)) ++last;
    const auto begin = at + static_cast<int64_t>(first), count = static_cast<int64_t>(last - first);
    if (padding) {
      fill(context, begin, count);
    } else {
      copy_elements(dtype, element_at(dtype, context.input(0).data, from + sources[first]),
                    element_at(dtype, context.output(0).data, begin), static_cast<size_t>(count));
    }
  }
}

Status reference(const RunContext& context) {
  const std::span<const int64_t> shape = context.output(0).shape;
  std::optional<std::vector<int64_t>> given;
  if (context.has_input(3)) given = wide_copy<int64_t>(context.input(3));
  LAN_TRY(const std::vector<int64_t> axes, padded_axes(given, static_cast<int64_t>(shape.size())));
  if (shape.empty()) {
    write_row(context, std::vector<int64_t>{0}, 0, 0);
    return ok();
  }
  const std::vector<std::vector<int64_t>> sources = sources_of(context, read_pads(context, axes));
  const std::span<const int64_t> outer = shape.first(shape.size() - 1);
  std::vector<int64_t> index(outer.size(), 0);
  for (int64_t at = 0; at < context.output(0).count(); at += shape.back()) {
    int64_t from = 0;
    for (size_t d = 0; d < index.size() && from >= 0; ++d) {
      const int64_t source = sources[d][static_cast<size_t>(index[d])];
      from = source < 0 ? -1 : from + source;
    }
    if (from < 0) {
      fill(context, at, shape.back());
    } else {
      write_row(context, sources.back(), from, at);
    }
    next_index(outer, index);
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
