#pragma once

#include <vector>

#include "ops/op.h"

namespace lanthorn {

// What the optimizer's fused operators do as they store: y = act(sums + bias + residual), with
// attributes `activation` (kernels/activation_name.h), `alpha` and `beta`. The bias has one number
// a column of the output, the residual has the output's shape; both may be absent.

/// Checks activation, bias and residual against the output's dimensions.
Status check_epilogue(const InferContext& context, size_t bias, size_t residual,
                      const Dims& output);

/// Stores output 0 from its sums, in its own order.
Status store_with_epilogue(const RunContext& context, std::vector<double> sums, size_t bias,
                           size_t residual);

}  // namespace lanthorn
