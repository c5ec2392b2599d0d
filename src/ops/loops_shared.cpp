#include <algorithm>

#include "base/check.h"

#include "ops/loops.h"

namespace lanthorn {

Shape broadcast_strides(std::span<const int64_t> shape, size_t rank) {
  LAN_CHECK(shape.size() <= rank);
  const Shape own = contiguous_strides(shape);
  Shape strides(rank, 0);
  for (size_t i = 0; i < shape.size(); ++i) {
    strides[rank - shape.size() + i] = shape[i] == 1 ? 0 : own[i];
  }
  return strides;
}

BroadcastWalk::BroadcastWalk(std::span<const int64_t> shape,
                             std::span<const std::span<const int64_t>> inputs) {
  std::vector<Shape> strides;
  for (const std::span<const int64_t> input : inputs)
    strides.push_back(broadcast_strides(input, shape.size()));
  for (size_t i = 0; i < shape.size(); ++i) {
    done_ |= shape[i] == 0;
    if (shape[i] == 1) continue;
    Axis axis{shape[i], {}};
    for (const Shape& one : strides) axis.strides.push_back(one[i]);
    const bool merges =
        !axes_.empty() &&
        std::equal(axis.strides.begin(), axis.strides.end(), axes_.back().strides.begin(),
                   [&axis](int64_t inner, int64_t outer) { return outer == inner * axis.size; });
    if (merges) {
      axis.size *= axes_.back().size;
      axes_.back() = std::move(axis);
    } else {
      axes_.push_back(std::move(axis));
    }
  }
  row_steps_.assign(inputs.size(), 0);
  if (!axes_.empty()) {
    length_ = axes_.back().size;
    row_steps_ = std::move(axes_.back().strides);
    axes_.pop_back();
  }
  index_.assign(axes_.size(), 0);
  positions_.assign(inputs.size(), 0);
}

void BroadcastWalk::next() {
  at_ += length_;
  for (size_t axis = axes_.size(); axis-- > 0;) {
    const Axis& walked = axes_[axis];
    const bool wraps = ++index_[axis] == walked.size;
    for (size_t k = 0; k < positions_.size(); ++k) {
      positions_[k] += walked.strides[k] - (wraps ? walked.strides[k] * walked.size : 0);
    }
    if (!wraps) return;
    index_[axis] = 0;
  }
  done_ = true;
}

AxisView view_axis(std::span<const int64_t> shape, int64_t axis) {
  AxisView view;
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto position = static_cast<int64_t>(i);
    (position < axis ? view.outer : position == axis ? view.size : view.inner) *= shape[i];
  }
  return view;
}

bool next_index(std::span<const int64_t> shape, std::span<int64_t> index) {
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (++index[axis] < shape[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

}  // namespace lanthorn
