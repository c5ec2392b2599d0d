#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lanthorn/checkpoint.h"
#include "lanthorn/result.h"

namespace lanthorn {

struct StoreOptions {
  size_t keep_last = 3;         // so many of the newest stay; 0: all
  size_t keep_best = 1;         // so many of the best stay besides
  std::string metric = "loss";  // of Checkpoint::metric(), which says what is best
  bool higher_is_better = false;
  bool verify = true;   // every file is read back and compared before it gets its name
  bool digests = true;  // the SHA-256 of every tensor is written into the file
};

/// A folder of checkpoints of one training run: checkpoint_00000012.pth, ... with the links
/// latest.pth and best.pth. A file is written elsewhere, read back, brought to the disk and only
/// then gets its name, so that whatever ends the program, and whenever, the last good one is there.
/// One program at a time writes to a folder. Methods may be called from one thread at a time.
class CheckpointStore {
 public:
  /// Makes the folder where there is none, and removes what an interrupted save left. kSystem where
  /// another program has it open.
  static Result<CheckpointStore> open(const std::filesystem::path& folder,
                                      const StoreOptions& options = {});
  CheckpointStore(CheckpointStore&&) noexcept;
  CheckpointStore& operator=(CheckpointStore&&) noexcept;
  /// Waits for a save that is under way.
  ~CheckpointStore();

  /// Writes a checkpoint and returns its path when it is on the disk. Its number is its epoch, or
  /// one more than the last. Fills in producer and training_date where they are empty.
  Result<std::filesystem::path> save(const Checkpoint& checkpoint);
  /// Copies what the checkpoint holds and returns; the file is written meanwhile, and the caller
  /// may change its tensors at once. Waits for an earlier save first and returns its error, if it
  /// had one.
  Status save_async(const Checkpoint& checkpoint);
  /// Waits for save_async; its error, if it had one.
  Status wait();

  /// The newest checkpoint that can be read and whose checksums hold; nothing where there is none.
  /// What had to be passed over is in skipped().
  Result<std::optional<Checkpoint>> resume();
  const std::vector<std::string>& skipped() const;

  /// All checkpoints, the newest first.
  std::vector<std::filesystem::path> checkpoints() const;
  /// The best by the metric; empty where none has it.
  std::filesystem::path best() const;

  struct Impl;

 private:
  explicit CheckpointStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lanthorn
