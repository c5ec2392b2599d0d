#pragma once

#include <memory>
#include <vector>

#include "lanthorn/result.h"
#include "script/graph_lowering.h"
#include "script/program.h"

namespace lanthorn::script {

/// A program's own copy of its objects, lists, dicts and storages, which one evaluation may change.
/// What was shared in the program is shared in the copy.
struct Instance {
  std::shared_ptr<Object> root;
  std::vector<Value> constants;  // 0-dim tensors are wrapped numbers, as the code prints scalars so
};
Instance instance_of(const Program& program);

/// Runs `__setstate__` of `object` on what was pickled for it, as loading does. Tensors that it
/// makes become loaded ones. kUnsupported if they depend on what is not known.
Status set_state(const ClassTable& classes, std::span<const Value> constants, int64_t version,
                 const std::shared_ptr<Object>& object, Value state);

}  // namespace lanthorn::script
