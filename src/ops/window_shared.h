#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/dim.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// How a window slides over the spatial axes: of convolutions and pools.
struct Window {
  enum class AutoPad : uint8_t { kExplicit, kValid, kSameUpper, kSameLower };

  std::vector<int64_t> kernel, stride, dilation, pad_begin, pad_end;  // one number a spatial axis
  AutoPad auto_pad = AutoPad::kExplicit;
  bool ceil = false;

  size_t rank() const { return kernel.size(); }
  /// How far the window reaches: (kernel - 1) * dilation + 1.
  int64_t extent(size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }

  /// Attributes strides, dilations, pads, auto_pad and ceil_mode for a kernel of these sizes.
  static Result<Window> read(const Attributes& attributes, std::vector<int64_t> kernel);

  /// The output's size along a spatial axis. With ceil_mode, windows that would begin in the
  /// padding behind the input are left out. An error if the window does not fit.
  Result<Dim> output(size_t axis, const Dim& input) const;
  /// The same window with explicit pads for an input and output of these sizes.
  Window resolved(std::span<const int64_t> inputs, std::span<const int64_t> outputs) const;
};

/// Output positions [begin, end) of one axis at which a window's tap lies inside the input, and the
/// input position of `begin`.
struct TapRange {
  int64_t begin = 0, end = 0, first_input = 0;
};
TapRange tap_range(const Window& window, size_t axis, int64_t tap, int64_t inputs, int64_t outputs);

/// Counts through all positions of a shape in C order: `for (...; counter.next();)`.
class Counter {
 public:
  explicit Counter(std::span<const int64_t> shape) : shape_(shape), at_(shape.size(), 0) {}
  const std::vector<int64_t>& at() const { return at_; }
  int64_t operator[](size_t axis) const { return at_[axis]; }
  /// False after the last position, when it starts over.
  bool next() {
    for (size_t axis = at_.size(); axis-- > 0;) {
      if (++at_[axis] < shape_[axis]) return true;
      at_[axis] = 0;
    }
    return false;
  }

 private:
  std::span<const int64_t> shape_;
  std::vector<int64_t> at_;
};

}  // namespace lanthorn
