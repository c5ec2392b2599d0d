#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ops/op.h"

namespace lanthorn {

/// Where output `output` of a node is nothing but the bytes of its input 0 from some offset on
/// (Reshape, a Transpose that moves nothing, a contiguous Slice or piece of a Split, ...): that
/// offset in bytes. Types must be concrete.
std::optional<uint64_t> alias_offset(const Node& node, std::span<const ValueType> inputs,
                                     std::span<const ValueType> outputs, std::span<const Tensor* const> constants,
                                     size_t output);

}  // namespace lanthorn
