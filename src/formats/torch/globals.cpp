#include "formats/torch/globals.h"

#include <algorithm>

#include "formats/torch/global_lists.h"

namespace lanthorn {
namespace {

/// The parts of a dotted name that a class of its own may have: Outer.Inner, no __dunder__ in it.
bool is_nested_class(std::string_view name) {
  return name[0] >= 'A' && name[0] <= 'Z' && !name.starts_with('_') &&
         name.find("._") == std::string_view::npos;
}

}  // namespace

GlobalJudgement judge_global(const PickleGlobal& global) {
  if (global.computed) return {GlobalVerdict::kDangerous, "its name is known only when it runs"};
  if (global.changed) {
    return {GlobalVerdict::kDangerous, "is changed by the file for all who use it"};
  }
  if (global.harmless) return {GlobalVerdict::kSafe, ""};
  if (is_safe_global(global.module, global.name)) return {GlobalVerdict::kSafe, ""};
  const std::string_view danger = danger_of_global(global.module, global.name);
  if (!danger.empty()) return {GlobalVerdict::kDangerous, danger};
  // A dotted name reaches through what a module has imported: torch.serialization os.system.
  const std::string& name = global.name;
  if (name.find('.') != std::string::npos && !is_nested_class(name)) {
    return {GlobalVerdict::kDangerous, "reaches through a module into another"};
  }
  return {GlobalVerdict::kUnknown, "is not on the list of what is safe"};
}

std::vector<std::string> hazard_notes(const std::vector<PickleGlobal>& globals,
                                      std::string_view member) {
  constexpr size_t kMaxNotes = 20;
  std::vector<std::string> notes;
  for (const PickleGlobal& global : globals) {
    const GlobalJudgement judgement = judge_global(global);
    // Nested files are data here; only Python runs what is in them.
    if (judgement.verdict != GlobalVerdict::kDangerous) continue;
    if (notes.size() == kMaxNotes) {
      notes.push_back("more dangerous globals were found");
      break;
    }
    notes.push_back("hazard: '" + global.module + "." + global.name + "' at byte " +
                    std::to_string(global.offset) + " of " + std::string(member) + " " +
                    std::string(judgement.reason) +
                    " when Python loads this file; nothing of it was executed");
  }
  return notes;
}

}  // namespace lanthorn
