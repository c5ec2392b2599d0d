#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace lanthorn {

/// The strings of an attribute; none where it is absent or of another kind. The attribute owns
/// them.
inline const std::vector<std::string>& text_list(const Attributes& attributes,
                                                 std::string_view name) {
  static const std::vector<std::string> kNone;
  const Attribute* found = attributes.find(name);
  const auto* list = found ? std::get_if<std::vector<std::string>>(found) : nullptr;
  return list ? *list : kNone;
}

}  // namespace lanthorn
