#include "ops/fused_attention_shared.h"

#include <algorithm>

namespace lanthorn {

AttentionOperand attention_operand(std::span<const int64_t> shape, std::span<const int64_t> order) {
  AttentionOperand operand;
  int64_t stride = 1;
  for (size_t i = 4; i-- > 0;) {
    const auto axis = static_cast<size_t>(order[i]);
    operand.sizes[axis] = shape[i];
    operand.strides[axis] = stride;
    stride *= shape[i];
  }
  return operand;
}

std::array<int64_t, 4> attention_order(const Attributes& attributes, std::string_view name) {
  std::array<int64_t, 4> order = {0, 1, 2, 3};
  const std::vector<int64_t> given = attributes.ints(name);
  if (given.size() == 4 && std::is_permutation(order.begin(), order.end(), given.begin())) {
    std::copy(given.begin(), given.end(), order.begin());
  }
  return order;
}

}  // namespace lanthorn
