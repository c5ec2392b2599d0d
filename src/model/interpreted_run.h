#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/executable.h"
#include "script/interpret.h"

namespace lanthorn {

/// The prepared graph pieces of a program that is interpreted, for one signature. Safe for many threads.
class PieceCache {
 public:
  explicit PieceCache(ExecutableOptions options) : options_(options) {}
  /// Prepares a piece where it is new, and runs it.
  Result<std::vector<Value>> run(const script::Piece& piece, const RunOptions& options);
  /// Lets a run of the program go from question to question.
  Result<script::Interpretation> interpret(const script::Program& program,
                                           const std::vector<script::SignatureInput>& signature,
                                           std::span<const Value> tensors, const RunOptions& options,
                                           const std::vector<NamedValue>* state = nullptr);

 private:
  ExecutableOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Executable>> prepared_;
};

}  // namespace lanthorn
