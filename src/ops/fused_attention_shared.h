#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "ops/op.h"

namespace lanthorn {

/// How the four axes [batch, heads, rows, columns] of an operand of FusedAttention lie in memory.
struct AttentionOperand {
  std::array<int64_t, 4> sizes = {};    // in the order that is meant
  std::array<int64_t, 4> strides = {};  // elements
};

/// The axes of a contiguous array whose axis i is axis order[i] of what is meant.
AttentionOperand attention_operand(std::span<const int64_t> shape, std::span<const int64_t> order);

/// The attribute, which names all of 0..3 once; the natural order if it is absent or does not.
std::array<int64_t, 4> attention_order(const Attributes& attributes, std::string_view name);

}  // namespace lanthorn
