#include "formats/foreign.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "codec/byte_reader.h"
#include "codec/protobuf.h"
#include "codec/zip.h"

namespace lanthorn {
namespace {

constexpr ErrorCode kOther = ErrorCode::kUnsupported;  // well, but not read
constexpr ErrorCode kNoModel = ErrorCode::kCorrupt;    // not what was meant

constexpr std::string_view kTensorFlow =
    "Convert it to ONNX where TensorFlow is: python -m tf2onnx.convert.";
constexpr std::string_view kToOnnx = "Convert it to ONNX where it was made.";
constexpr std::string_view kFetchAgain = "The download probably asked for a login; fetch it again.";

struct Mark {
  size_t at;
  std::string_view bytes, what, advice;
  ErrorCode code = kOther;
};

constexpr Mark kMarks[] = {
    {0, "version https://git-lfs", "this is a Git LFS pointer in place of the file itself",
     "Run `git lfs pull` in the repository, or download the file from its page.", kNoModel},
    {0, "<!DOCTYPE", "this is a web page", kFetchAgain, kNoModel},
    {0, "<!doctype", "this is a web page", kFetchAgain, kNoModel},
    {0, "<html", "this is a web page", kFetchAgain, kNoModel},
    {0, "<HTML", "this is a web page", kFetchAgain, kNoModel},
    {0, "\x1f\x8b", "this is a gzip file", "Decompress it first: gunzip, or tar -xzf.", kNoModel},
    {0, "7z\xbc\xaf\x27\x1c", "this is a 7z archive", "Unpack it first.", kNoModel},
    {0, "BZh", "this is a bzip2 file", "Decompress it first.", kNoModel},
    {0,
     "\xfd"
     "7zXZ",
     "this is an xz file", "Decompress it first.", kNoModel},
    {0, "\x28\xb5\x2f\xfd", "this is a Zstandard file", "Decompress it first.", kNoModel},
    {0, "\x04\x22\x4d\x18", "this is an LZ4 file", "Decompress it first.", kNoModel},
    {0, "Rar!", "this is a RAR archive", "Unpack it first.", kNoModel},
    {0, "\x89HDF\r\n", "this is an HDF5 file, as Keras writes models and weights (.h5)",
     kTensorFlow},
    {4, "TFL3", "this is a TensorFlow Lite model (.tflite)",
     "Convert it to ONNX: python -m tf2onnx.convert --tflite FILE --output FILE.onnx."},
    {4, "ET12", "this is an ExecuTorch program (.pte)",
     "Use what it was made from: torch.export.save's .pt2, or an export to ONNX."},
    {4, "PTMF", "this is a mobile model of PyTorch as a flatbuffer",
     "Save it as a zip archive: without _use_flatbuffer=True."},
    {4, "ORTM", "this is a model in ONNX Runtime's own format (.ort)",
     "Use the .onnx file that it was made from."},
    {0, "GGUF", "this is a GGUF file", "Use the safetensors files of the same model."},
    {0, "ggml", "this is a GGML file", "Use the safetensors files of the same model."},
    {0, "lmgg", "this is a GGML file", "Use the safetensors files of the same model."},
    {0, "7767517\n", "this is a model of ncnn (.param)", kToOnnx},
    {0, "CBM1", "this is a CatBoost model",
     "Export it to ONNX: save_model(\"FILE.onnx\", format=\"onnx\")."},
    {0, "tree\nversion=", "this is a LightGBM model",
     "Convert it to ONNX where it was made: onnxmltools.convert_lightgbm."},
    {0, std::string_view("\x12\x01\0\0\0\0\0\0", 8), "this is a file of MXNet's arrays (.params)",
     kToOnnx},
    {0, "MATLAB 5.0 MAT-file", "this is a MATLAB file (.mat)", "Save its arrays as .npz or .npy."},
    {0, "PAR1", "this is a Parquet file, a table and no model", ""},
    {0,
     "\x7f"
     "ELF",
     "this is a program or shared library", "", kNoModel},
};

std::optional<Error> no_error() { return std::nullopt; }

Error error_of(ErrorCode code, std::string_view what, std::string_view advice) {
  return Error{code, std::string(what), "", std::string(advice)};
}

/// What deflate's wrapper of zlib begins with at its usual window.
bool looks_like_zlib(std::span<const std::byte> bytes) {
  return bytes.size() > 8 && bytes[0] == std::byte{0x78} &&
         (0x7800 + static_cast<unsigned>(bytes[1])) % 31 == 0;
}

/// What TensorFlow lets nodes and operators be called.
bool is_node_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_.-/\\>").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// GraphDef: a node with a name and an operator comes first.
bool looks_like_frozen_graph(std::span<const std::byte> bytes) {
  ProtoReader graph(bytes);
  ProtoField node;
  if (!graph.next(node) || node.number != 1 || node.wire != WireType::kBytes) return false;
  ProtoReader reader(node.bytes);
  ProtoField name, op;
  if (!reader.next(name) || name.number != 1 || name.wire != WireType::kBytes) return false;
  if (!reader.next(op) || op.number != 2 || op.wire != WireType::kBytes) return false;
  return is_node_name(name.text()) && is_node_name(op.text());
}

/// MetaGraphDef: what it is for, then its graph, at a number that Core ML's description of a model does not use.
bool looks_like_meta_graph(std::span<const std::byte> bytes) {
  ProtoReader reader(bytes);
  ProtoField field;
  while (reader.next(field) && field.number <= 2) {
    if (field.number == 2) return field.wire == WireType::kBytes;
  }
  return false;
}

/// A .keras file: a zip archive of a configuration and an HDF5 file.
bool is_keras_archive(std::span<const std::byte> bytes) {
  bool configuration = false, weights = false;
  for (const std::string_view name : list_zip_names(bytes)) {
    configuration = configuration || name == "config.json";
    weights = weights || name == "model.weights.h5";
  }
  return configuration && weights;
}

}  // namespace

std::optional<Error> foreign_file(std::span<const std::byte> bytes) {
  if (looks_like_zip(bytes)) {
    if (!is_keras_archive(bytes)) return no_error();
    return error_of(kOther, "this is a Keras model (.keras)", kTensorFlow);
  }
  const std::string_view text = as_text(bytes);
  for (const Mark& mark : kMarks) {
    if (text.size() > mark.at && text.substr(mark.at).starts_with(mark.bytes)) {
      return error_of(mark.code, mark.what, mark.advice);
    }
  }
  if (looks_like_zlib(bytes)) {
    return error_of(kOther, "this is zlib data, as joblib.dump writes with compress=...",
                    "Write it again without compress, or as .npz.");
  }
  if (looks_like_frozen_graph(bytes)) {
    return error_of(kOther, "this is a frozen graph of TensorFlow (.pb)",
                    "Convert it to ONNX: python -m tf2onnx.convert --graphdef FILE.");
  }
  if (text.starts_with('{') && text.substr(0, 200).find("\"learner\"") != text.npos) {
    return error_of(kOther, "this is an XGBoost model",
                    "Convert it to ONNX where it was made: onnxmltools.convert_xgboost.");
  }
  if (text.starts_with('{')) return error_of(kNoModel, "this is JSON, not a model", "");
  return no_error();
}

std::optional<Error> foreign_message(std::span<const std::byte> bytes) {
  // A version and then a message; an ONNX model has the name of its producer there.
  ProtoReader reader(bytes);
  ProtoField version, message;
  if (!reader.next(version) || version.number != 1 || version.wire != WireType::kVarint) {
    return no_error();
  }
  if (!reader.next(message) || message.number != 2 || message.wire != WireType::kBytes) {
    return no_error();
  }
  if (!as_text(message.bytes).starts_with('\x0a')) return no_error();
  if (looks_like_meta_graph(message.bytes)) {
    return error_of(kOther, "this is the graph of a TensorFlow SavedModel (saved_model.pb)",
                    "Convert its folder to ONNX: python -m tf2onnx.convert --saved-model FOLDER.");
  }
  return error_of(kOther, "this is a model of another framework, probably Core ML (.mlmodel)",
                  kToOnnx);
}

std::optional<Error> foreign_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto has = [&](const char* name) {
    return std::filesystem::exists(folder / name, ignored);
  };
  if (has("saved_model.pb") || has("saved_model.pbtxt")) {
    return error_of(kOther, "the folder is a TensorFlow SavedModel",
                    "Convert it to ONNX: python -m tf2onnx.convert --saved-model FOLDER.");
  }
  if (has("Manifest.json") && has("Data")) {
    return error_of(kOther, "the folder is a Core ML package (.mlpackage)", kToOnnx);
  }
  if (has("tf_model.h5") || has("flax_model.msgpack")) {
    return error_of(kOther, "the folder holds a model for TensorFlow or JAX only",
                    "Save it for PyTorch: model.safetensors or pytorch_model.bin.");
  }
  return no_error();
}

}  // namespace lanthorn
