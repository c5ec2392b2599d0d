#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/mapped_file.h"
#include "formats/format.h"
#include "formats/onnx/model.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// One thing that is wrong with a model.
struct Finding {
  std::string message;
  std::string node;                // "node 'Conv_3' (Conv)"; empty where it is about no node
  std::string value;               // of which it is about; may be empty
  std::optional<uint64_t> offset;  // in the file, of the message that holds it
};

struct CheckReport {
  std::vector<Finding> findings;   // in the order of the file; none: the model is valid
  std::vector<std::string> notes;  // what could not be checked, and why
};

/// Checks what the standard demands of a model, with the verdict of
/// onnx.checker.check_model(full_check=True) and all findings at once; also what that overlooks:
/// data that does not fill its shape, external data past the end of its file. `file` is what the
/// model was decoded from. https://onnx.ai/onnx/repo-docs/IR.html
CheckReport check_model(const ModelProto& model, const std::shared_ptr<const MappedFile>& file,
                        const ReadLimits& limits);

/// Reads and checks a file. An error where it cannot be read as an ONNX model at all.
Result<CheckReport> check_file(const std::filesystem::path& path, const ReadLimits& limits);

}  // namespace lanthorn::onnx
