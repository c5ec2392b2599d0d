#pragma once

#include <filesystem>

#include "formats/write.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"

namespace lanthorn {

enum class TorchForm : uint8_t { kZip, kLegacy };

/// Writes a tree as `torch.save` of PyTorch 2.13 does, so that `torch.load(weights_only=True)` of 1.13
/// and later opens it: as the zip archive, or as the stream of before 1.6. What such a loader does not
/// take is made plain first (plain_tree.h), and the report says what that changed. kUnsupported,
/// kSystem, kLimit (nested too deep); the file appears only when it is whole.
Result<WriteReport> write_torch(const std::filesystem::path& path, const ObjectTree& tree,
                                const WriteOptions& options, TorchForm form = TorchForm::kZip);

/// The tree of a state_dict: an OrderedDict of these tensors.
ObjectTree state_dict_tree(const StateDict& state);

}  // namespace lanthorn
