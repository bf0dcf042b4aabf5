#pragma once
#include "problem/random.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

// One a file; parameters have been checked. noise.cpp calls the one that the kind asks for.
NoiseLaw law_of(const NoNoise& none);
NoiseLaw law_of(const GaussianNoise& gaussian);
NoiseLaw law_of(const StudentTNoise& student_t);
NoiseLaw law_of(const LaplaceNoise& laplace);
NoiseLaw law_of(const UniformNoise& uniform);
NoiseLaw law_of(const RademacherNoise& rademacher);
NoiseLaw law_of(const MixtureNoise& mixture);
NoiseLaw law_of(const EmpiricalNoise& empirical);

}  // namespace riskcurve
