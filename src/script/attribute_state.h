#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "script/graph_lowering.h"

namespace lanthorn::script {

/// An object of the tree under `root` and the name of one of its attributes.
struct AttributePlace {
  std::shared_ptr<Object> holder;
  std::string_view name;
};
/// The place of a path, "rnn.hidden"; a null holder where there is none. `path` must outlive it.
AttributePlace place_of(const std::shared_ptr<Object>& root, std::string_view path);

/// The attributes that a run has changed, with their paths: `now` is the object tree after it, `before` as loaded.
std::vector<std::pair<std::string, Value>> changed_attributes(const Object& now, const Object& before);
/// A value of an interpreted program as it is now, tensors with their elements.
Result<lanthorn::Value> value_now(GraphLowering& lowering, const Value& value, int depth = 0);

}  // namespace lanthorn::script
