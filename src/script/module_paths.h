#pragma once

#include <string>
#include <unordered_map>

#include "script/value.h"

namespace lanthorn::script {

/// The paths of a module's submodules, as PyTorch names them ("layer1.0.conv1"); the module itself
/// has the empty one. Of a module that is there twice, the first.
std::unordered_map<const Object*, std::string> module_paths(const Object& root);

}  // namespace lanthorn::script
