#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/pickle.h"
#include "formats/torch/legacy.h"
#include "formats/torch/storage_source.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// True if the bytes are a tar archive with the members of torch.save before 0.1.10.
bool looks_like_torch_tar(std::span<const std::byte> bytes);

/// The tensors of such an archive, by their keys.
class TarTensors : public StorageSource {
 public:
  Result<StorageView> find(const StorageId& id) override;
  const Tensor* find_tensor(std::string_view key) const override;

  std::map<std::string, StorageView, std::less<>> storages;
  std::map<std::string, Tensor, std::less<>> tensors;
};

struct TarFile {
  PickleTree object;
  TarTensors tensors;
  std::vector<PickleGlobal> globals;  // of all members
  std::span<const std::byte> pickle;  // the member that `object` was read from
};

/// Reads the members sys_info, storages, tensors and pickle. kCorrupt, kLimit.
Result<TarFile> read_torch_tar(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                               const PickleLimits& limits);

}  // namespace lanthorn
