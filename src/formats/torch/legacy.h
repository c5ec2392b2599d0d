#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/pickle.h"
#include "formats/format.h"
#include "formats/torch/storage_source.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// True if the first value is the magic number of torch.save's stream before 1.6, by any pickle
/// protocol.
bool looks_like_legacy(std::span<const std::byte> bytes);

/// The storages of a stream: found by the keys that stand behind the object.
class StreamStorages : public StorageSource {
 public:
  Result<StorageView> find(const StorageId& id) override;
  Status add(std::string key, StorageView view);

 private:
  std::map<std::string, StorageView, std::less<>> known_;
};

/// A stream of five pickles (magic, version, machine, object, keys of the storages) and the
/// storages.
struct LegacyFile {
  PickleTree object;
  StreamStorages storages;
  std::vector<PickleGlobal> globals;  // of all five pickles
  uint64_t object_offset = 0;
  uint64_t bytes_read = 0;  // up to the end of the last storage
};

/// kCorrupt, kLimit, kUnsupported for another version. `owner` keeps `bytes` alive.
Result<LegacyFile> read_legacy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                               const PickleLimits& limits);

/// The one storage that a stream inside a pickle holds (torch.storage._load_from_bytes).
Result<StorageView> read_nested_storage(std::span<const std::byte> bytes,
                                        std::shared_ptr<const void> owner, int depth,
                                        uint64_t budget);

/// How much memory the pickles of a file may take; the objects made of them take as much again.
PickleLimits pickle_limits(const ReadLimits& limits);

}  // namespace lanthorn
