#include "cli/inputs_shared.h"

#include <algorithm>
#include <cstdio>
#include <random>

#include "cli/npz_values_shared.h"
#include "codec/mapped_file.h"
#include "formats/npy/npy.h"
#include "transform/preprocess.h"

namespace lanthorn {
namespace {

/// What a free dimension becomes where nothing says its size: a batch of one, and pictures of 224.
int64_t free_size(const Port& port, size_t axis) {
  return port.shape.size() == 4 && axis >= 2 ? 224 : 1;
}

Result<Tensor> random_tensor(const Port& port, std::mt19937_64& generator, const Shape* shape_wanted) {
  if (!shape_wanted && !port.has_shape) {
    return Error{ErrorCode::kInvalidInput, "has a shape that the file does not tell", "input '" + port.name + "'",
                 "Give it with --input-shape " + port.name + ":1,3,224,224 or as --inputs IN.npz."};
  }
  Shape shape;
  const size_t rank = shape_wanted ? shape_wanted->size() : port.shape.size();
  for (size_t i = 0; i < rank; ++i) {
    const int64_t size = shape_wanted ? (*shape_wanted)[i] : port.shape[i].size;
    shape.push_back(size >= 0 ? size : port.has_shape && i < port.shape.size() && port.shape[i].size >= 0 ? port.shape[i].size : free_size(port, i));
  }
  LAN_TRY(Tensor tensor, Tensor::allocate(DType::kF32, shape));
  std::uniform_real_distribution<float> values(0, 1);
  const bool floating = port.dtype == DType::kUndefined || is_floating(port.dtype);
  for (float& v : tensor.mutable_as<float>()) v = floating ? values(generator) : static_cast<float>(generator() % 2);
  if (port.dtype == DType::kUndefined || port.dtype == DType::kF32) return tensor;
  return tensor.cast(port.dtype);
}

Result<std::vector<NamedValue>> random_inputs(const Model& model, const InputOptions& options) {
  LAN_TRY(const auto shapes, parse_input_shapes(options.shapes));
  std::mt19937_64 generator(options.seed);
  std::vector<NamedValue> inputs;
  for (const Port& port : model.inputs()) {
    if (port.optional) continue;
    const Shape* wanted = nullptr;
    for (const auto& [name, shape] : shapes) {
      if (name == port.name || (name.empty() && model.inputs().size() == 1)) wanted = &shape;
    }
    LAN_TRY(Tensor tensor, random_tensor(port, generator, wanted));
    inputs.push_back({port.name, std::move(tensor)});
  }
  return inputs;
}

Result<Tensor> read_picture(const MappedFile& file, const InputOptions& options) {
  if (options.preprocess.empty()) {
    return Error{ErrorCode::kUsage, "a picture needs --preprocess: how it becomes the model's input", "",
                 "Use --preprocess imagenet, digits or FILE.json."};
  }
  LAN_TRY(const Preprocess how, load_preprocess(options.preprocess));
  LAN_TRY(const Image image, decode_image(file.bytes()));
  std::fprintf(stderr, "preprocessing: %s\n", describe(how).c_str());
  return preprocess(image, how);
}

Result<NamedValue> read_single(const std::string& text, const InputOptions& options) {
  const size_t split = text.find('=');
  const std::string name = split == text.npos ? "" : text.substr(0, split);
  const std::string path = split == text.npos ? text : text.substr(split + 1);
  LAN_TRY(const auto file, MappedFile::open(path));
  auto tensor = looks_like_npy(file->bytes()) ? read_npy(file->bytes(), file, {}) : read_picture(*file, options);
  if (!tensor) return std::move(tensor).error().at(path);
  return NamedValue{name, *std::move(tensor)};
}

}  // namespace

Result<LoadOptions> InputOptions::load_options() const {
  LoadOptions options;
  LAN_TRY(options.input_shapes, parse_input_shapes(shapes));
  return options;
}

void add_input_options(CLI::App& app, InputOptions& options) {
  app.add_option("--inputs", options.npz, "inputs out of an .npz file, by the model's names or in0, in1, ...");
  app.add_option("--input", options.single, "one input: [NAME=]FILE.npy, or a picture (.png, .jpg)")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--input-shape", options.shapes, "NAME:batch,3,224,224 where the file does not tell; a word is a free dimension")
      ->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--preprocess", options.preprocess, "how a picture becomes the input: imagenet, digits or FILE.json");
  app.add_flag("--random", options.random, "make inputs up");
  app.add_option("--seed", options.seed, "of --random")->capture_default_str();
}

Result<std::vector<NamedValue>> make_inputs(const Model& model, const InputOptions& options) {
  if (!options.npz.empty()) return read_input_values(options.npz, model.inputs());
  if (options.single.empty()) return random_inputs(model, options);
  std::vector<NamedValue> inputs;
  for (const std::string& text : options.single) {
    LAN_TRY(NamedValue input, read_single(text, options));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace lanthorn
