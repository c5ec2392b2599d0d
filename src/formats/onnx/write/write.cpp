#include "formats/onnx/write/write.h"

#include <algorithm>

#include "formats/onnx/lower/lower.h"
#include "formats/onnx/raw_data.h"
#include "formats/onnx/write/encode.h"
#include "formats/onnx/write/names.h"
#include "formats/output_file.h"

namespace lanthorn::onnx {
namespace {

// What a message of protocol buffers may have at most.
constexpr uint64_t kMaxMessageBytes = INT32_MAX;
// In a model that is too big for one file, what is smaller than this stays in the model's.
constexpr uint64_t kExternalByNeed = 1024;

Status write_payload(OutputFile& file, const Tensor& tensor) {
  LAN_TRY(const Tensor computed, tensor.computed());
  LAN_TRY(const Tensor straight, computed.contiguous());
  const DType dtype = tensor.dtype();
  if (elements_per_byte(dtype) > 1) {
    return file.write_numbers(pack(dtype, straight.bytes()), DType::kU8, DType::kU8);
  }
  return file.write_numbers(straight.bytes(), dtype, dtype);
}

Status write_zeros(OutputFile& file, uint64_t count) {
  const std::vector<std::byte> zeros(count);
  return file.write(zeros);
}

Status write_external(OutputFile& file, const EncodedModel& model) {
  for (const EncodedModel::Outside& payload : model.outside) {
    LAN_OK(write_zeros(file, payload.offset - file.position()));
    LAN_OK(write_payload(file, payload.tensor));
  }
  return file.commit();
}

Status write_message(OutputFile& file, const EncodedModel& model) {
  const std::span<const std::byte> text = std::as_bytes(std::span(model.message.text()));
  uint64_t done = 0;
  for (const ProtoHole& hole : model.message.holes()) {
    LAN_OK(file.write(text.subspan(done, hole.position - done)));
    LAN_OK(write_payload(file, model.inside[hole.id]));
    done = hole.position;
  }
  LAN_OK(file.write(text.subspan(done)));
  return file.commit();
}

/// A model whose own file is small enough.
Result<EncodedModel> encode(const LoweredModel& lowered, const Annotations& annotations,
                            ExternalData external) {
  LAN_TRY(EncodedModel model, encode_model(lowered.graph, lowered.opsets, annotations, external));
  if (model.message.size() > kMaxMessageBytes) {
    external.threshold = std::min(external.threshold, kExternalByNeed);
    LAN_TRY(model, encode_model(lowered.graph, lowered.opsets, annotations, external));
  }
  if (model.message.size() > kMaxMessageBytes) {
    return Error{ErrorCode::kLimit,
                 "the model's structure alone takes " + std::to_string(model.message.size()) +
                     " bytes; a file of ONNX has at most 2 GB",
                 "", ""};
  }
  return model;
}

}  // namespace

Status check_writable(const Graph& graph, const Annotations& annotations,
                      const OnnxWriteOptions& options) {
  LAN_TRY(LoweredModel lowered, lower_model(graph, annotations.opsets, options.opset));
  name_all(lowered.graph);
  LAN_TRY(const EncodedModel model, encode(lowered, annotations, {"data", 0}));
  return ok();
}

Result<WriteReport> write_model(const std::filesystem::path& path, const Graph& graph,
                                const Annotations& annotations, const OnnxWriteOptions& options) {
  LAN_TRY(LoweredModel lowered, lower_model(graph, annotations.opsets, options.opset));
  name_all(lowered.graph);
  const ExternalData external{path.filename().string() + ".data",
                              options.external_threshold.value_or(UINT64_MAX)};
  auto encoded = encode(lowered, annotations, external);
  if (!encoded) return std::move(encoded).error().at(path.string());
  const EncodedModel model = *std::move(encoded);
  WriteReport report;
  report.notes = std::move(lowered.notes);
  // Created first, so that a folder that is not there is found before gigabytes are written.
  LAN_TRY(OutputFile file, OutputFile::create(path, options.write));
  if (!model.outside.empty()) {
    const std::filesystem::path beside = path.parent_path() / external.location;
    LAN_TRY(OutputFile data, OutputFile::create(beside, options.write));
    LAN_OK(write_external(data, model));
    report.files.push_back(beside);
    report.bytes += data.position();
  }
  LAN_OK(write_message(file, model));
  report.files.push_back(path);
  report.bytes += file.position();
  return report;
}

}  // namespace lanthorn::onnx
