#pragma once

#include <optional>
#include <vector>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// The elements of a float32 constant; nothing for other types.
std::optional<std::vector<float>> floats_of(const Tensor* tensor);

/// What a constant that broadcasts against [n, channels, ...] of rank `rank` is worth per channel, if it
/// is the same at all other positions: of shapes like [1], [channels, 1, 1], [1, channels, 1, 1].
/// `axis` is where the channels are.
std::optional<std::vector<float>> per_channel(const Tensor* tensor, int64_t rank, int64_t axis, int64_t channels);

/// A float32 tensor of these values.
Tensor float_tensor(Shape shape, const std::vector<float>& values);

}  // namespace lanthorn
