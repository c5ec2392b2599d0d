#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "formats/flat_tensors.h"
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

/// The same for named tensors, which become an OrderedDict; in shards where options ask for them.
Result<WriteReport> write_torch(const std::filesystem::path& path,
                                const std::vector<FlatTensor>& tensors,
                                const WriteOptions& options, TorchForm form = TorchForm::kZip);

}  // namespace lanthorn
