#pragma once

#include <string_view>
#include <vector>

#include "ops/op.h"

namespace lanthorn {

/// The types of values that a subgraph gets, changes and hands on to its next run (Loop, Scan):
/// those of the first run, with each dimension that changes forgotten. `others_before` and
/// `others_after` are the types of the subgraph's inputs around the carried ones; carried outputs
/// begin at `first_output`. Tells all outputs of the subgraph for these types.
struct CarriedTypes {
  std::vector<ValueType> carried;  // what each run may get
  std::vector<ValueType> outputs;  // of the subgraph, in the last inference
};
Result<CarriedTypes> infer_carried(InferContext& c, std::vector<ValueType> initial,
                                   const std::vector<ValueType>& others_before,
                                   const std::vector<ValueType>& others_after, size_t first_output);

/// kInvalidInput unless the body has exactly `count` inputs.
Status require_body_inputs(const InferContext& c, size_t count);

/// A copy whose unknown dimensions are new ones: what leaves a loop is not what ran inside.
ValueType outside_of_loop(ValueType type, const ValueType& initial);

}  // namespace lanthorn
