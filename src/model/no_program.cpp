#include "model/no_program.h"

#include <algorithm>
#include <set>

#include "formats/module_list.h"

namespace lanthorn {
namespace {

/// The classes whose code is not PyTorch's own, each once, as many as people read.
std::string foreign_classes(const std::vector<ModuleEntry>& modules) {
  constexpr size_t kMost = 20;
  std::set<std::string> names;
  for (const ModuleEntry& entry : modules) {
    const std::string& name = entry.class_name;
    if (!name.starts_with("torch.nn.")) names.insert(name);
  }
  std::string text;
  size_t count = 0;
  for (const std::string& name : names) {
    if (count++ == kMost) return text + ", and " + std::to_string(names.size() - kMost) + " more";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

}  // namespace

Error no_program_error(const Model::Impl& model) {
  const FileContents& contents = model.contents;
  std::vector<ModuleEntry> modules;
  if (contents.objects) {
    if (auto found = list_modules(*contents.objects)) modules = *std::move(found);
  }
  if (modules.empty()) {
    return Error{ErrorCode::kUnsupported,
                 "the file holds no program: it is a '" + contents.format +
                     "' file with weights or data only",
                 model.path.string(),
                 "The forward's code is needed: save the model with torch.jit.trace or "
                 "torch.jit.script, or export it to ONNX."};
  }
  const std::string foreign = foreign_classes(modules);
  return Error{
      ErrorCode::kUnsupported,
      "the file holds a whole model, " + modules[0].class_name + " of " +
          std::to_string(modules.size()) +
          " modules, but not its program: torch.save keeps weights and settings, and of the code "
          "only the classes' names. Missing is the forward of " +
          (foreign.empty() ? modules[0].class_name : foreign),
      model.path.string(),
      "Where Python has these classes, save it with torch.jit.script(model).save(\"model.pt\") or "
      "torch.onnx.export; its weights come out with `lanthorn convert " +
          model.path.filename().string() +
          " weights.safetensors`, and `lanthorn inspect --modules` lists what it is made of."};
}

}  // namespace lanthorn
