#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Sets the types of all values of a graph as far as its inputs' types tell, and finds what small
/// integer tensors hold, as expressions over the inputs' symbols. One entry a value.
Result<std::vector<std::optional<Dims>>> find_shape_facts(Graph& graph);

/// The operand of a Reshape from `from` to `to` that needs no number that only a run knows: sizes, 0
/// for "as it was", and at most one -1. Nothing where there is none.
std::optional<std::vector<int64_t>> reshape_operand(const Dims& from, const Dims& to);

}  // namespace lanthorn
