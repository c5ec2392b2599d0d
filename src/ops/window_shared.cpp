#include "ops/window_shared.h"

#include <algorithm>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

// Larger numbers only come from hostile files; the limit keeps all products inside 64 bits.
constexpr int64_t kLargest = int64_t{1} << 30;

Result<std::vector<int64_t>> positive(const Attributes& attributes, std::string_view name,
                                      size_t count) {
  std::vector<int64_t> list = attributes.ints(name);
  if (list.empty()) list.assign(count, 1);
  if (list.size() != count) {
    return attribute_error(name, "there are " + std::to_string(list.size()) + " numbers for " +
                                     std::to_string(count) + " spatial axes");
  }
  for (const int64_t n : list) {
    if (n < 1 || n > kLargest) return attribute_error(name, "the numbers must be positive");
  }
  return list;
}

}  // namespace

Result<Window> Window::read(const Attributes& attributes, std::vector<int64_t> kernel) {
  Window window;
  for (const int64_t size : kernel) {
    if (size < 1 || size > kLargest) {
      return attribute_error("kernel_shape", "the numbers must be positive");
    }
  }
  const size_t rank = kernel.size();
  window.kernel = std::move(kernel);
  LAN_TRY(window.stride, positive(attributes, "strides", rank));
  LAN_TRY(window.dilation, positive(attributes, "dilations", rank));
  window.ceil = attributes.integer("ceil_mode", 0) != 0;
  const std::string_view mode = attributes.text("auto_pad", "NOTSET");
  if (mode == "VALID") {
    window.auto_pad = AutoPad::kValid;
  } else if (mode == "SAME_UPPER") {
    window.auto_pad = AutoPad::kSameUpper;
  } else if (mode == "SAME_LOWER") {
    window.auto_pad = AutoPad::kSameLower;
  } else if (mode != "NOTSET" && !mode.empty()) {
    return attribute_error("auto_pad", "'" + std::string(mode) + "' is not known");
  }
  std::vector<int64_t> pads = attributes.ints("pads");
  if (pads.empty() || window.auto_pad != AutoPad::kExplicit) pads.assign(2 * rank, 0);
  if (pads.size() != 2 * rank) {
    return attribute_error("pads", "there are " + std::to_string(pads.size()) + " numbers for " +
                                       std::to_string(rank) + " spatial axes");
  }
  for (const int64_t pad : pads) {
    if (pad < -kLargest || pad > kLargest) return attribute_error("pads", "a number is too large");
  }
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  window.pad_begin.assign(pads.begin(), middle);
  window.pad_end.assign(middle, pads.end());
  return window;
}

Result<Dim> Window::output(size_t axis, const Dim& input) const {
  const int64_t step = stride[axis];
  if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
    return ceil_div(input, step);
  }
  const Dim padded = input + Dim(pad_begin[axis] + pad_end[axis]);
  const Dim room = padded - Dim(extent(axis));
  if (const auto known = room.known(); known && *known < 0) {
    return shape_error("a window of " + std::to_string(extent(axis)) +
                       " does not fit spatial axis " + std::to_string(axis) + " of size " +
                       padded.text() + " with padding");
  }
  if (!ceil) return floor_div(room, step) + 1;
  const Dim all = ceil_div(room, step) + 1;
  if (pad_end[axis] + step <= extent(axis)) return all;  // the last window begins inside
  return min(all, ceil_div(input + Dim(pad_begin[axis]), step));
}

Window Window::resolved(std::span<const int64_t> inputs, std::span<const int64_t> outputs) const {
  Window window = *this;
  if (auto_pad != AutoPad::kSameUpper && auto_pad != AutoPad::kSameLower) return window;
  for (size_t axis = 0; axis < rank(); ++axis) {
    const int64_t needed = (outputs[axis] - 1) * stride[axis] + extent(axis) - inputs[axis];
    const int64_t total = std::max<int64_t>(needed, 0);
    const int64_t less = total / 2;
    window.pad_begin[axis] = auto_pad == AutoPad::kSameUpper ? less : total - less;
    window.pad_end[axis] = total - window.pad_begin[axis];
  }
  window.auto_pad = AutoPad::kExplicit;
  return window;
}

TapRange tap_range(const Window& window, size_t axis, int64_t tap, int64_t inputs,
                   int64_t outputs) {
  const int64_t offset = tap * window.dilation[axis] - window.pad_begin[axis];
  const int64_t step = window.stride[axis];
  TapRange range;
  range.begin = offset >= 0 ? 0 : std::min((-offset + step - 1) / step, outputs);
  const int64_t last = inputs - 1 - offset;
  range.end = last < 0 ? 0 : std::min(last / step + 1, outputs);
  range.end = std::max(range.end, range.begin);
  range.first_input = range.begin * step + offset;
  return range;
}

}  // namespace lanthorn
