// Loads a model and runs it on the tensors of a file: classify MODEL INPUTS.npz
#include <algorithm>
#include <cstdio>

#include <lanthorn/lanthorn.h>

namespace {

int fail(const lanthorn::Error& error) {
  std::fprintf(stderr, "classify: %s\n", error.text().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: classify MODEL INPUTS.npz   (the inputs are under in0)\n");
    return 2;
  }
  auto model = lanthorn::load(argv[1]);
  if (!model) return fail(model.error());
  auto session = model->session({.threads = 1});
  if (!session) return fail(session.error());
  auto saved = lanthorn::load_state_dict(argv[2]);
  if (!saved) return fail(saved.error());
  const lanthorn::Tensor* images = saved->find("in0");
  if (images == nullptr) {
    std::fprintf(stderr, "classify: %s has no in0\n", argv[2]);
    return 1;
  }

  auto outputs = session->run({{"", *images}});  // an empty name: by position
  if (!outputs) return fail(outputs.error());
  const lanthorn::Tensor& scores = outputs->front().tensor;  // [batch, classes]
  const auto classes = static_cast<size_t>(scores.shape()[1]);
  const auto values = scores.as<float>();
  for (size_t row = 0; row + classes <= values.size(); row += classes) {
    const auto picture = values.subspan(row, classes);
    const auto top = std::max_element(picture.begin(), picture.end());
    std::printf("class %d, score %.3f\n", static_cast<int>(top - picture.begin()), *top);
  }
}
