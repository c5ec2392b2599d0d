#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// Walks the rows of an output that several inputs broadcast to. A row is as long as all inputs can
/// be walked with one step each, so that broadcasting costs nothing within it.
///
///   for (BroadcastWalk walk(shape, inputs); !walk.done(); walk.next())
///     for (int64_t i = 0; i < walk.length(); ++i)
///       out[walk.at() + i] = f(a[walk.at(0) + i * walk.step(0)], ...);
class BroadcastWalk {
 public:
  BroadcastWalk(std::span<const int64_t> shape, std::span<const std::span<const int64_t>> inputs);

  bool done() const { return done_; }
  void next();
  int64_t length() const { return length_; }
  int64_t at() const { return at_; }
  int64_t at(size_t input) const { return positions_[input]; }
  /// 0 or 1 element (0 where the input repeats).
  int64_t step(size_t input) const { return row_steps_[input]; }

 private:
  struct Axis {
    int64_t size;
    std::vector<int64_t> strides;  // of each input, in elements
  };
  std::vector<Axis> axes_;  // outermost first, without the row
  std::vector<int64_t> index_, positions_, row_steps_;
  int64_t length_ = 1, at_ = 0;
  bool done_ = false;
};

/// Strides that walk an array of `shape` as if it had been broadcast to `rank` dimensions: 0 where
/// it repeats.
Shape broadcast_strides(std::span<const int64_t> shape, size_t rank);

/// The sizes before, at and after an axis: an array seen as [outer, size, inner].
struct AxisView {
  int64_t outer = 1, size = 1, inner = 1;
};
AxisView view_axis(std::span<const int64_t> shape, int64_t axis);

/// Counts through all indices of a shape in C order. False after the last one.
bool next_index(std::span<const int64_t> shape, std::span<int64_t> index);

}  // namespace lanthorn
