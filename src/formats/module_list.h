#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "script/program.h"

namespace lanthorn {

/// A module of a whole model, as torch.nn.Module keeps it.
struct ModuleEntry {
  struct Hook {
    std::string kind;      // "forward", "forward_pre", "full_backward", "state_dict", ...
    std::string function;  // its name; nothing is ever called
  };
  std::string name;        // "layer1.0.conv"; empty for the model itself
  std::string class_name;  // "torch.nn.modules.conv.Conv2d"
  std::optional<bool> training;
  std::vector<std::pair<std::string, std::string>> settings;  // attributes as Python prints them
  std::vector<std::string> parameters, buffers;               // names of its own
  std::vector<Hook> hooks;
};

/// The modules of a model that torch.save wrote whole, parents before children. Empty where the
/// tree holds none. kLimit as walk_objects.
Result<std::vector<ModuleEntry>> list_modules(const ObjectTree& tree);
/// The modules of a TorchScript program.
std::vector<ModuleEntry> list_modules(const script::Program& program);

}  // namespace lanthorn
