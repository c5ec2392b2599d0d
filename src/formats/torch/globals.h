#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/pickle.h"

namespace lanthorn {

/// What Python's unpickler would do with a name of a pickle.
enum class GlobalVerdict : uint8_t { kSafe, kDangerous, kUnknown };

struct GlobalJudgement {
  GlobalVerdict verdict = GlobalVerdict::kUnknown;
  std::string_view reason;  // for people: "runs commands"
};

/// Judges a global by name: safe is what is on the list of what makes plain data and tensors,
/// dangerous what is known to run code or reach it, unknown the rest (classes of users among them).
GlobalJudgement judge_global(const PickleGlobal& global);

/// Marks the globals of a tree that could do harm but are only used to make plain data, as PyTorch
/// and NumPy themselves write them: getattr for torch.relu, functools.partial of a class,
/// torch.storage._load_from_bytes of a stream that is plain data. Call it before judging.
void mark_harmless_uses(PickleTree& tree);

/// One note for each dangerous global: its name, what it does, and where it is in `member`.
std::vector<std::string> hazard_notes(const std::vector<PickleGlobal>& globals,
                                      std::string_view member);

}  // namespace lanthorn
